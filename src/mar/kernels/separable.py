"""Separable medians of an image: along rows, then along columns.

The median of 5, 7 or 9 rows (or of one row shifted so often) is a network of exchanges, with those left out
that the middle does not depend on. All its values stay in registers, and the compiler works on many
neighbouring pixels at once. The files that call it are not compiled again when this one changes: delete
their caches then.
"""

import numpy as np

from mar.kernels.jit import jit


@jit
def _low(a: float, b: float) -> float:
    return a if a < b else b


@jit
def _high(a: float, b: float) -> float:
    return b if a < b else a


@jit
def _middle(a: float, b: float, c: float) -> float:
    return _high(_low(a, b), _low(_high(a, b), c))


@jit
def _median5(a, b, c, d, e, out):  # type: ignore[no-untyped-def]
    for x in range(out.size):
        f = _high(_low(a[x], b[x]), _low(c[x], d[x]))
        g = _low(_high(a[x], b[x]), _high(c[x], d[x]))
        out[x] = _middle(e[x], f, g)


@jit
def _median7(a, b, c, d, e, f, g, out):  # type: ignore[no-untyped-def]
    for x in range(out.size):
        p, q, r, s, t, u, v = a[x], b[x], c[x], d[x], e[x], f[x], g[x]
        p, u = _low(p, u), _high(p, u)
        p, s = _low(p, s), _high(p, s)
        q, v = _low(q, v), _high(q, v)
        r, t = _low(r, t), _high(r, t)
        q = _high(p, q)  # the least of all is out
        s, u = _low(s, u), _high(s, u)
        r, v = _low(r, v), _high(r, v)
        r, s = _low(r, s), _high(r, s)
        s, t = _low(s, v), _low(t, u)  # so are the greatest
        q, t = _low(q, t), _high(q, t)
        out[x] = _low(_high(q, s), t)


@jit
def _median9(a, b, c, d, e, f, g, h, i, out):  # type: ignore[no-untyped-def]
    """The middle of the greatest of the least, the median of the medians, and the least of the greatest."""
    for x in range(out.size):
        p, q, r = _low(a[x], b[x]), _low(d[x], e[x]), _low(g[x], h[x])
        s, t, u = _high(a[x], b[x]), _high(d[x], e[x]), _high(g[x], h[x])
        least = _high(_high(_low(p, c[x]), _low(q, f[x])), _low(r, i[x]))
        greatest = _low(_low(_high(s, c[x]), _high(t, f[x])), _high(u, i[x]))
        medians = _middle(_high(p, _low(s, c[x])), _high(q, _low(t, f[x])), _high(r, _low(u, i[x])))
        out[x] = _middle(least, medians, greatest)


@jit
def separable_median(image: np.ndarray, size: int, rows: np.ndarray, out: np.ndarray) -> None:
    """Medians of `size` (5, 7 or 9) pixels along rows, then of those along columns, into `out`.

    Pixels nearer than size // 2 to a border keep their values. `rows` is room for the first medians.
    """
    ny, nx = image.shape
    edge = size // 2
    n = nx - 2 * edge
    if n <= 0 or ny <= 2 * edge:
        out[:] = image
        return
    for y in range(ny):
        r, m = image[y], rows[y, :n]
        if size == 5:
            _median5(r[:n], r[1 : n + 1], r[2 : n + 2], r[3 : n + 3], r[4 : n + 4], m)
        elif size == 7:
            a, b, c, d = r[:n], r[1 : n + 1], r[2 : n + 2], r[3 : n + 3]
            _median7(a, b, c, d, r[4 : n + 4], r[5 : n + 5], r[6 : n + 6], m)
        else:
            a, b, c, d = r[:n], r[1 : n + 1], r[2 : n + 2], r[3 : n + 3]
            e, f, g, h = r[4 : n + 4], r[5 : n + 5], r[6 : n + 6], r[7 : n + 7]
            _median9(a, b, c, d, e, f, g, h, r[8 : n + 8], m)
    for y in range(ny):
        if y < edge or y >= ny - edge:
            out[y] = image[y]
            continue
        out[y, :edge] = image[y, :edge]
        out[y, nx - edge :] = image[y, nx - edge :]
        _median_down(rows, n, y, size, out[y, edge : nx - edge])


@jit
def _median_down(rows: np.ndarray, n: int, y: int, size: int, out: np.ndarray) -> None:
    """Medians of `size` rows about row `y`, of their first n columns."""
    c, d, e, f, g = rows[y - 2, :n], rows[y - 1, :n], rows[y, :n], rows[y + 1, :n], rows[y + 2, :n]
    if size == 5:
        _median5(c, d, e, f, g, out)
    elif size == 7:
        _median7(rows[y - 3, :n], c, d, e, f, g, rows[y + 3, :n], out)
    else:
        _median9(rows[y - 4, :n], rows[y - 3, :n], c, d, e, f, g, rows[y + 3, :n], rows[y + 4, :n], out)
