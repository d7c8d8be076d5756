// Places on the sky from a lattice of directions that the server measured (unit vectors: no seam at RA 0, none at the poles).

// RA and Dec in degrees of a FITS pixel, or null without a lattice
export function toSky(lattice, x, y) {
  if (!lattice) return null;
  const [column, across] = within(lattice.x, x), [row, up] = within(lattice.y, y), width = lattice.x.length;
  const to = [0, 1, 2].map((axis) => {
    const at = (n, m) => lattice.to[3 * ((row + m) * width + column + n) + axis];
    return (1 - up) * ((1 - across) * at(0, 0) + across * at(1, 0)) + up * ((1 - across) * at(0, 1) + across * at(1, 1));
  });
  const degrees = 180 / Math.PI;
  return [(Math.atan2(to[1], to[0]) * degrees + 360) % 360, Math.atan2(to[2], Math.hypot(to[0], to[1])) * degrees];
}

function within(axis, value) {
  const step = axis[1] - axis[0];
  const cell = Math.min(Math.max(Math.floor((value - axis[0]) / step), 0), axis.length - 2);
  return [cell, (value - axis[0]) / step - cell];
}

export const hours = (ra) => sexagesimal((ra / 15) % 24, 2, 24);
export const degrees = (dec) => (dec < 0 ? "-" : "+") + sexagesimal(Math.abs(dec), 1);

function sexagesimal(value, digits, turn = Infinity) {
  const unit = 10 ** digits;
  let left = Math.round(value * 3600 * unit);
  if (left >= turn * 3600 * unit) left = 0;
  const seconds = (left % (60 * unit)) / unit, minutes = Math.floor(left / (60 * unit)) % 60, whole = Math.floor(left / (3600 * unit));
  return [whole, minutes].map((part) => String(part).padStart(2, "0")).join(":") + ":" + seconds.toFixed(digits).padStart(digits + 3, "0");
}
