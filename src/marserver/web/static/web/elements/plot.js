// The colours of the page, as a canvas takes them
export function colours(place) {
  const shade = (name) => { place.style.color = `var(--${name})`; return getComputedStyle(place).color; };
  const [ink, line, accent] = ["faint", "line", "accent"].map(shade);
  place.style.color = "";
  return { ink, line, accent };
}

// Times of an axis, as astronomers write them: with 24 hours, years first. Each: from how many seconds a step, and how it is written
export const TIMES = [
  [365 * 86400, "{YYYY}", null, null, null, null, null, null, 1],
  [28 * 86400, "{YYYY}-{MM}", null, null, null, null, null, null, 1],
  [86400, "{MM}-{DD}", "\n{YYYY}", null, null, null, null, null, 1],
  [60, "{HH}:{mm}", "\n{YYYY}-{MM}-{DD}", null, "\n{MM}-{DD}", null, null, null, 1],
  [1, "{HH}:{mm}:{ss}", "\n{YYYY}-{MM}-{DD}", null, "\n{MM}-{DD}", null, null, null, 1],
];

// A plot of columns of rows by uPlot, in the colours of the page
export function plot(place, rows, x, y, points) {
  const { ink, line, accent } = colours(place);
  const found = rows.map((row) => [Number(row[x]), Number(row[y])]).filter((pair) => pair.every(Number.isFinite)).sort((one, other) => one[0] - other[0]);
  const axis = (label) => ({ label, stroke: ink, grid: { stroke: line, width: 1 }, ticks: { stroke: line } });
  place.replaceChildren();
  return new uPlot({
    width: Math.max(place.clientWidth - 20, 280), height: 320, scales: { x: { time: false } }, axes: [axis(x), axis(y)],
    series: [{ label: x }, { label: y, stroke: accent, width: points ? 0 : 2, points: { show: true, size: 5, fill: accent }, paths: points ? () => null : undefined }],
  }, [found.map((pair) => pair[0]), found.map((pair) => pair[1])], place);
}
