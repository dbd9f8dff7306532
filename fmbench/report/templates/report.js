(function () {
  "use strict";
  var figures = JSON.parse(document.getElementById("figures").textContent);
  var options = { responsive: true, displaylogo: false, modeBarButtonsToRemove: ["select2d", "lasso2d", "autoScale2d"] };
  function draw(place) {
    var figure = figures[place.id];
    if (figure && !place.dataset.drawn) {
      place.dataset.drawn = "yes";
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
