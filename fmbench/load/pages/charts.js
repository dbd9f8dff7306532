// Charts above the table of "Over time": drawn from study/times, nothing is fetched from elsewhere.
(() => {
  const COLOURS = ["#2f7ed8", "#e07b00", "#8a8a8a"];
  const WIDE = 360, HIGH = 150, LEFT = 52, RIGHT = 8, TOP = 8, BOTTOM = 20;
  const SVG = "http://www.w3.org/2000/svg";
  let points = null;

  const make = (name, attributes, text) => {
    const element = document.createElementNS(SVG, name);
    for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
    if (text !== undefined) element.textContent = text;
    return element;
  };
  const nice = value => {
    if (!(value > 0)) return 1;
    const size = 10 ** Math.floor(Math.log10(value));
    return [1, 2, 2.5, 5, 10].map(step => step * size).find(step => step >= value * 0.999);
  };
  const said = value => value === null ? "-" : value.toLocaleString("en-US", {notation: "compact", maximumSignificantDigits: 4});
  const clock = at => new Date(at * 1000).toISOString().slice(11, 19);

  function chart(panel) {
    const rows = points.rows, box = document.createElement("figure");
    box.style.cssText = "margin:0";
    box.dataset.chart = panel.title;
    const known = panel.lines.flatMap(line => rows.map(row => row[line.key]).filter(value => value !== null));
    const top = nice(Math.max(0, ...known));
    const [first, last] = [rows[0].at, Math.max(rows[rows.length - 1].at, rows[0].at + 1)];
    const x = at => LEFT + (at - first) / (last - first) * (WIDE - LEFT - RIGHT);
    const y = value => HIGH - BOTTOM - value / top * (HIGH - TOP - BOTTOM);
    const picture = make("svg", {viewBox: `0 0 ${WIDE} ${HIGH}`, width: "100%", role: "img", "aria-label": panel.title});
    for (const share of [0, 0.5, 1]) {
      picture.append(make("line", {x1: LEFT, x2: WIDE - RIGHT, y1: y(top * share), y2: y(top * share), stroke: "#8884"}));
      picture.append(make("text", {x: LEFT - 6, y: y(top * share) + 4, "text-anchor": "end", "font-size": 11, fill: "currentColor"},
        said(top * share)));
    }
    for (const [at, anchor] of [[first, "start"], [last, "end"]])
      picture.append(make("text", {x: x(at), y: HIGH - 4, "text-anchor": anchor, "font-size": 11, fill: "currentColor"}, clock(at)));
    rows.forEach((row, number) => {
      if (number && row.cell !== rows[number - 1].cell)
        picture.append(make("line", {x1: x(row.at), x2: x(row.at), y1: TOP, y2: HIGH - BOTTOM, stroke: "#8888", "stroke-dasharray": "3 3"}));
    });
    panel.lines.forEach((line, number) => {
      let path = "", pen = false, cell = null;
      for (const row of rows) {
        const value = row[line.key];
        if (value === null) { pen = false; continue; }
        path += `${pen && cell === row.cell ? "L" : "M"}${x(row.at).toFixed(1)} ${y(value).toFixed(1)}`;
        pen = true; cell = row.cell;
        const dot = make("circle", {cx: x(row.at), cy: y(value), r: 2.5, fill: COLOURS[number]});
        dot.append(make("title", {}, `${clock(row.at)} UTC, ${row.cell}\n${line.title}: ${said(value)} ${panel.unit}`));
        if (!line.dashed) picture.append(dot);
      }
      picture.append(make("path", {d: path, fill: "none", stroke: COLOURS[number], "stroke-width": 1.5,
        ...(line.dashed ? {"stroke-dasharray": "6 4"} : {})}));
    });
    const title = document.createElement("figcaption");
    title.style.cssText = "font:13px sans-serif";
    const name = document.createElement("b");
    name.textContent = panel.title;
    title.append(name, ` (${panel.unit})`);
    panel.lines.forEach((line, number) => {
      const key = document.createElement("span");
      key.style.cssText = `color:${COLOURS[number]};margin-left:10px`;
      const latest = rows.map(row => row[line.key]).filter(value => value !== null).pop();
      key.textContent = `${line.dashed ? "┄" : "━"} ${line.title} ${said(latest === undefined ? null : latest)}`;
      title.append(key);
    });
    box.append(title, picture);
    return box;
  }

  function draw() {
    const heads = [...document.querySelectorAll("th")];
    const head = heads.find(each => each.innerText.trim().toLowerCase().startsWith("time (utc)"));
    const table = head && head.closest("table");
    let place = document.getElementById("fmbench-charts");
    if (!table || !points) {  // another tab: the page keeps what stands in the same place
      if (place) place.remove();
      return;
    }
    const frame = table.parentElement;
    if (!place || place.nextElementSibling !== frame) {
      if (place) place.remove();
      place = document.createElement("div");
      place.id = "fmbench-charts";
      place.style.cssText = "display:grid;grid-template-columns:repeat(auto-fill,minmax(320px,1fr));gap:16px;margin:12px 0 20px";
      frame.parentElement.insertBefore(place, frame);
    }
    if (place.dataset.drawn === points.drawn) return;
    place.dataset.drawn = points.drawn;
    place.replaceChildren(...(points.rows.length ? points.panels.map(chart) : []));
  }

  async function look() {
    try {
      const found = await (await fetch("study/times")).json();
      const last = found.rows[found.rows.length - 1];
      points = {...found, drawn: last ? `${found.rows.length}@${last.at}` : "none"};
    } catch { return; }
    draw();
  }
  setInterval(draw, 300);
  setInterval(look, 2000);
  look();
})();
