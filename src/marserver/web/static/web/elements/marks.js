// Sources (circles), reference stars (diamonds) and the pixel that was read (cross), drawn above the image
const COLOURS = { sources: "#4de1ff", reference: "#ffb347", pixel: "#ff4d6d" };
const NAMED = 60; // as many as that have their magnitudes beside them

export class Marks {
  constructor(canvas) { Object.assign(this, { canvas, found: {}, pixel: null }); }
  draw(layer) {
    const { canvas } = this, scale = window.devicePixelRatio || 1, pen = canvas.getContext("2d");
    const width = canvas.clientWidth, height = canvas.clientHeight;
    canvas.width = width * scale;
    canvas.height = height * scale;
    pen.scale(scale, scale);
    if (!layer?.item) return;
    const near = layer.screen(2, 1).x - layer.screen(1, 1).x; // pixels of the screen for one of the image
    const radius = Math.min(Math.max(5, 5 * near), 40);
    pen.font = "11px system-ui, sans-serif";
    pen.lineWidth = 1.5;
    for (const [which, marks] of Object.entries(this.found)) {
      pen.strokeStyle = pen.fillStyle = COLOURS[which];
      for (const [x, y, magnitude] of marks) {
        const at = layer.screen(x, y);
        if (at.x < -radius || at.y < -radius || at.x > width + radius || at.y > height + radius) continue;
        pen.beginPath();
        if (which === "sources") pen.arc(at.x, at.y, radius, 0, 2 * Math.PI);
        else diamond(pen, at, 1.3 * radius);
        pen.stroke();
        if (magnitude !== null && marks.length <= NAMED) pen.fillText(magnitude.toFixed(2), at.x + radius + 2, at.y + (which === "sources" ? 3 : 15));
      }
    }
    if (this.pixel) this.cross(pen, layer.screen(this.pixel.x, this.pixel.y));
  }
  cross(pen, at) {
    pen.strokeStyle = COLOURS.pixel;
    pen.beginPath();
    for (const [x, y] of [[1, 0], [-1, 0], [0, 1], [0, -1]]) { pen.moveTo(at.x + 5 * x, at.y + 5 * y); pen.lineTo(at.x + 14 * x, at.y + 14 * y); }
    pen.stroke();
  }
}

function diamond(pen, at, size) {
  pen.moveTo(at.x, at.y - size); pen.lineTo(at.x + size, at.y); pen.lineTo(at.x, at.y + size); pen.lineTo(at.x - size, at.y); pen.closePath();
}
