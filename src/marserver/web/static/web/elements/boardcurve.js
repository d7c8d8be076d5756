// <mar-curve>: the tiles of the survey over time, from the JSON beside it: [[second, tiles so far], ...]
import { colours, TIMES } from "./plot.js";

customElements.define("mar-curve", class extends HTMLElement {
  connectedCallback() { queueMicrotask(() => this.draw()); }
  draw() {
    const rows = JSON.parse(this.querySelector("script").textContent);
    const place = this.querySelector("div");
    if (rows.length < 2 || !place) return;
    const { ink, line, accent } = colours(place);
    const axis = { stroke: ink, grid: { stroke: line, width: 1 }, ticks: { stroke: line } };
    const size = () => ({ width: Math.max(place.clientWidth, 240), height: 190 });
    const plot = new uPlot({
      ...size(), tzDate: (seconds) => uPlot.tzDate(new Date(seconds * 1000), "UTC"), axes: [{ ...axis, values: TIMES, space: 70 }, { ...axis, size: 60 }], scales: { y: { range: (_, __, most) => [0, most * 1.05] } },
      series: [{ label: "Night", value: "{YYYY}-{MM}-{DD}" }, { label: "Tiles", stroke: accent, width: 2, points: { show: rows.length < 60 } }],
    }, [rows.map((row) => row[0]), rows.map((row) => row[1])], place);
    new ResizeObserver(() => plot.setSize(size())).observe(this);
  }
});
