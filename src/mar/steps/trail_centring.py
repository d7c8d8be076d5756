"""Moving a path onto the light that lies along it."""

import numpy as np

from mar.config.trails import Trails
from mar.kernels.strips import best_curve
from mar.kernels.threads import in_threads
from mar.steps.trail_paths import GAUSS, Path, Pieces

PIECES = 24
LEAST_PIECE_PX = 8
BOXES_PX = (3, 7, 21)  # widths of light that are looked for
BESIDE_PX = 3  # pixels beyond a line and as much again where lines beside it begin
LEAST_BESIDE = 20  # of these lines
LEAST_SCATTER = 0.7  # of their light per root of their pieces, in sigmas
TYPICAL = 0.6  # part of a trail's pieces that show less light
BRIGHTER = 0.2  # part that counts of what is brighter than that; it may be a star
CLEAR = 4.0  # sigmas of a piece whose own centre of light is used
BRIGHTEST = 1.5  # times the typical significance of a piece; no star weighs more
SHRINKING_PX = (4.0, 2.0, 1.0, 1.0)  # scales beyond which centres of light lose their weight


def onto_ridge(
    path: Path, data: np.ndarray, mask: np.ndarray, ranges_px: tuple[float, float], config: Trails
) -> tuple[Path, float]:
    """The path moved to the curve beside it with the most light, and by how much that stands out.

    `ranges_px` is how far the curve may lie off the middle of the path, and how much farther off its ends. It
    bends by LARGEST_BEND at most.
    """
    pieces = Pieces.along(path, data, mask, number_of_pieces(path), config)
    reach = pieces.across.size // 2
    bend_px = config.largest_bend * path.length if config.degree > 1 else 0
    ranges = np.array([min(reach, int(np.ceil(value))) for value in (*ranges_px, bend_px)])
    u = 2 * pieces.t / path.length - 1

    def fit(box: int) -> tuple[float, np.ndarray, int]:
        found = np.zeros(3)
        return best_curve(pieces.scores(box), u, ranges, found), found, box

    # the first of those with the most light
    _, curve, chosen = max(in_threads(fit, BOXES_PX), key=lambda fitted: fitted[0])
    lines = pieces.scores(chosen)
    typical = np.quantile(_beside(lines, curve, u)[:, reach], TYPICAL)
    even = np.minimum(lines, max(typical, CLEAR))
    best_curve(even + BRIGHTER * (lines - even), u, ranges, curve)
    bend = np.array([curve[0] - curve[2] / 3, curve[1], curve[2]])
    total = _beside(lines, curve, u).sum(axis=0)
    beside = np.abs(np.arange(-reach, reach + 1)) > chosen + BESIDE_PX
    return path.moved(bend), ridge_sigma(float(total[reach]), total[beside], u.size)


def _beside(lines: np.ndarray, curve: np.ndarray, u: np.ndarray) -> np.ndarray:
    """The scores (pieces, offsets) from the curve c0 + c1 u + c2 (u^2 - 1/3) on; 0 beyond the known ones."""
    reach = lines.shape[1] // 2
    at = np.rint(curve[0] + curve[1] * u + curve[2] * (u**2 - 1 / 3)).astype(int)
    shifted = np.arange(lines.shape[1]) + at[:, None]
    inside = (shifted >= 0) & (shifted <= 2 * reach)
    return np.where(inside, np.take_along_axis(lines, np.clip(shifted, 0, 2 * reach), 1), 0)


def ridge_sigma(light: float, beside: np.ndarray, pieces: int) -> float:
    """How much more light a line has than the lines beside it, in their scatter (Storkey et al. 2004).

    In a crowded field the lines beside it pass over as many stars as it does. All are sums of the scores of
    so many pieces.
    """
    if beside.size < LEAST_BESIDE:
        return 0.0
    typical = np.median(beside)
    scatter = GAUSS * np.median(np.abs(beside - typical))
    return float((light - typical) / max(scatter, LEAST_SCATTER * np.sqrt(pieces)))


def number_of_pieces(path: Path) -> int:
    """Pieces that a path is cut into to find where its light lies."""
    return max(1, min(PIECES, int(path.length / LEAST_PIECE_PX)))


def onto_centres(path: Path, pieces: Pieces, half_px: float, config: Trails) -> Path:
    """The path moved by a curve through the centres of light of its pieces, where enough are clear.

    Light farther off the path than `half_px` is left out; stars and noise lose their weight.
    """
    near = np.abs(pieces.across) <= half_px
    light = np.maximum(np.nan_to_num(pieces.profiles[:, near]), 0)
    mean, noise = pieces.amplitude(near)
    clear = (mean > CLEAR * noise) & (light.sum(axis=1) > 0)
    if np.count_nonzero(clear) < config.degree + 3:
        return path
    light = light[clear]
    centres = (light * pieces.across[near]).sum(axis=1) / light.sum(axis=1)
    u = 2 * pieces.t[clear] / path.length - 1
    significance = mean[clear] / noise[clear]
    significance = np.minimum(significance, BRIGHTEST * np.median(significance))
    # light on a part of the path only says nothing of how it bends beyond
    bend = _robust_fit(u, centres, significance, config.degree if np.ptp(u) > 1.2 else 1)
    if np.abs(path.moved(bend).curve[2:]).sum() > config.largest_bend * path.length + 1:
        bend = _robust_fit(u, centres, significance, 1)
    return path.moved(bend)


def _robust_fit(u: np.ndarray, centres: np.ndarray, significance: np.ndarray, degree: int) -> np.ndarray:
    """A polynomial through the centres of light, lowest power first; those far off lose their weight."""
    powers = np.vander(u, degree + 1, increasing=True)
    residual = centres - np.median(centres)
    bend = np.zeros(degree + 1)
    for scale in SHRINKING_PX:
        weight = significance / (1 + (residual / scale) ** 2)
        bend = np.linalg.lstsq(powers * weight[:, None], centres * weight, rcond=None)[0]
        residual = centres - powers @ bend
    return bend
