(function () {
  "use strict";
  var figures = JSON.parse(document.getElementById("figures").textContent);
  var buttons = ["toImage", "zoom2d", "pan2d", "zoomIn2d", "zoomOut2d", "resetScale2d"];
  var options = { displaylogo: false, modeBarButtons: [buttons] };
  var touch = window.matchMedia && window.matchMedia("(pointer: coarse)").matches;
  var sized = "ResizeObserver" in window ? new ResizeObserver(function (entries) {
    entries.forEach(function (entry) { fit(entry.target); });
  }) : null;
  function fit(place) {
    var width = place.clientWidth;
    if (width && place._fullLayout && Math.abs(place._fullLayout.width - width) > 1) { Plotly.relayout(place, { autosize: true }); }
  }
  function draw(place) {
    var figure = figures[place.id];
    if (figure && !place.dataset.drawn) {
      place.dataset.drawn = "yes";
      if (touch) { figure.layout.dragmode = false; }
      Plotly.newPlot(place, figure.data, figure.layout, options);
      if (sized) { sized.observe(place); }
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
