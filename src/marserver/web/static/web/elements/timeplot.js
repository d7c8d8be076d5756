// <mar-plot rows="ID OF A JSON SCRIPT" label="...">: points [{x: seconds, y, name}] against time; the one below the cursor is named
import { colours, TIMES } from "./plot.js";

customElements.define("mar-plot", class extends HTMLElement {
  connectedCallback() { setTimeout(() => this.draw()); }
  draw() {
    const points = JSON.parse(document.getElementById(this.getAttribute("rows")).textContent).sort((one, other) => one.x - other.x);
    const label = this.getAttribute("label");
    const { ink, line, accent } = colours(this);
    const axis = (name) => ({ label: name, stroke: ink, grid: { stroke: line, width: 1 }, ticks: { stroke: line } });
    const place = document.createElement("div");
    place.setAttribute("role", "img");
    place.setAttribute("aria-label", `${label} against time, ${points.length} points`);
    const named = document.createElement("p");
    named.className = "faint";
    named.textContent = points.length ? "\u00a0" : "Nothing to draw yet.";
    this.replaceChildren(place, named);
    if (!points.length) return;
    const tell = (plot) => { const at = plot.cursor.idx; named.textContent = at == null ? "\u00a0" : `${points[at].name}: ${points[at].y.toPrecision(5)}`; };
    new uPlot({
      width: Math.max(this.clientWidth, 260), height: 280, tzDate: (seconds) => uPlot.tzDate(new Date(seconds * 1000), "UTC"),
      axes: [{ ...axis("UTC"), values: TIMES, space: 70 }, { ...axis(label), size: 70 }], legend: { show: false }, hooks: { setCursor: [tell] },
      series: [{}, { label, stroke: accent, width: 0, paths: () => null, points: { show: true, size: 5, fill: accent } }],
    }, [points.map((one) => one.x), points.map((one) => one.y)], place);
  }
});
