(function () {
  "use strict";
  var figures = JSON.parse(document.getElementById("figures").textContent);
  var buttons = ["toImage", "zoom2d", "pan2d", "zoomIn2d", "zoomOut2d", "resetScale2d"];
  var options = { responsive: true, displaylogo: false, modeBarButtons: [buttons] };
  var touch = window.matchMedia && window.matchMedia("(pointer: coarse)").matches;
  function draw(place) {
    var figure = figures[place.id];
    if (figure && !place.dataset.drawn) {
      place.dataset.drawn = "yes";
      if (touch) { figure.layout.dragmode = false; }
      Plotly.newPlot(place, figure.data, figure.layout, options);
    }
  }
  var places = Array.prototype.slice.call(document.querySelectorAll(".plot"));
  var waiting = places.slice();
  function drawNext() {
    if (waiting.length) { draw(waiting.shift()); window.setTimeout(drawNext, 0); }
  }
  Array.prototype.forEach.call(document.querySelectorAll(".first .plot"), draw);
  window.addEventListener("load", drawNext);
  window.addEventListener("beforeprint", function () { places.forEach(draw); });
  if (!("IntersectionObserver" in window)) { return; }
  var seen = new IntersectionObserver(function (entries) {
    entries.forEach(function (entry) { if (entry.isIntersecting) { seen.unobserve(entry.target); draw(entry.target); } });
  }, { rootMargin: "600px" });
  places.forEach(function (place) { seen.observe(place); });
})();
