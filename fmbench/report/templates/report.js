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
  if (!("IntersectionObserver" in window)) { places.forEach(draw); return; }
  var seen = new IntersectionObserver(function (entries) {
    entries.forEach(function (entry) { if (entry.isIntersecting) { seen.unobserve(entry.target); draw(entry.target); } });
  }, { rootMargin: "600px" });
  places.forEach(function (place) { seen.observe(place); });
  window.addEventListener("beforeprint", function () { places.forEach(draw); });
})();
