(function () {
  "use strict";
  function dollars(value) {
    if (value === null) { return "\u2014"; }
    if (value >= 100) { return "$" + Math.round(value).toLocaleString("en-US"); }
    return "$" + (value >= 1 ? value.toFixed(2) : value.toPrecision(2));
  }
  function cost(model, asked) {
    if (asked.cached > 0 && model.read === null) { return null; }
    var share = asked.cached / 100;
    var prompt = share > 0 ? model.plain * (1 - share) + model.read * share : model.input;
    return prompt + model.output * asked.answer / 100 + model.failed;
  }
  function show(place) {
    var told = JSON.parse(place.querySelector("script").textContent), asked = {};
    place.querySelectorAll("input").forEach(function (input) {
      asked[input.dataset.name] = input.dataset.name === "requests" ? Math.pow(10, Number(input.value)) : Number(input.value);
      input.nextElementSibling.textContent = " " + Math.round(asked[input.dataset.name]).toLocaleString("en-US");
    });
    var body = place.querySelector("tbody");
    body.textContent = "";
    told.models.forEach(function (model) {
      var each = cost(model, asked), row = document.createElement("tr");
      [model.model, dollars(each), dollars(each === null ? null : each * asked.requests * told.days)].forEach(function (text, index) {
        var cell = document.createElement("td");
        cell.className = index ? "right" : "left";
        cell.textContent = text;
        row.appendChild(cell);
      });
      body.appendChild(row);
    });
  }
  Array.prototype.forEach.call(document.querySelectorAll(".whatif"), function (place) {
    place.addEventListener("input", function () { show(place); });
    show(place);
  });
})();
