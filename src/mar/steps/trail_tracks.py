"""From a candidate line to a trail: follow it at full resolution, measure its profile, and judge it."""

from dataclasses import dataclass, replace

import numpy as np

from mar.config.reduction import Reduction
from mar.config.trails import Trails
from mar.masks import Bit
from mar.steps.trail_lines import Line
from mar.steps.trail_paths import Path, Pieces, inside, straight
from mar.steps.trail_verdict import Verdict, is_of_the_detector, judge

CENTRING_PIECES = 24
LEAST_PIECE_PX = 8


@dataclass(frozen=True)
class Track:
    """A trail: its path, and what it looks like across it."""

    path: Path
    seen: Verdict

    def draw(self, mask: np.ndarray) -> None:
        """Set bit TRAIL in `mask` from edge to edge of the frame."""
        # a chord cuts the border aslant, the trail's own edges go on for some of its widths
        left_px, right_px = self.seen.left_px, self.seen.right_px
        beyond = 20 + 2 * self.seen.width_px
        t = np.arange(-beyond, self.path.length + beyond, 0.5)
        across = np.append(np.arange(-left_px, right_px, 0.5), right_px)
        ys, xs = self.path.pixels(t, across)
        known = inside(ys, xs, mask.shape)
        ys, xs = ys[known], xs[known]
        beside = self.path.beside(ys, xs)
        within = (beside >= -left_px) & (beside <= right_px)
        mask[ys[within], xs[within]] |= np.uint8(Bit.TRAIL)


def follow(
    data: np.ndarray, mask: np.ndarray, line: Line, config: Trails, reduction: Reduction
) -> Track | None:
    """The trail along `line`, or None where there is none that deserves the name.

    `data` (ny, nx) ADU; pixels that are bad, saturated, or of a trail found before are left out.
    """
    path = straight(line, data.shape)
    if path.length < LEAST_PIECE_PX * CENTRING_PIECES:
        return None
    for window in (None, config.largest_width / 4):
        pieces = Pieces.along(path, data, mask, path.length / CENTRING_PIECES, config)
        centred = _centred(path, pieces, window, config)
        if centred is None:
            return None
        path = centred
    piece_px = min(max(reduction.hough_lines_maxgap, LEAST_PIECE_PX), path.length / CENTRING_PIECES)
    pieces = Pieces.along(path, data, mask, piece_px, config)
    if is_of_the_detector(path, data, mask, config):
        return None
    seen = judge(path, pieces, config, reduction)
    return None if seen is None else Track(path, seen)


def _centred(path: Path, pieces: Pieces, window_px: float | None, config: Trails) -> Path | None:
    """The path moved onto the light, by a curve through the peaks of the pieces; None without enough."""
    peaks, significance = _peaks(pieces, window_px)
    seen = significance > config.piece_sigma
    if np.count_nonzero(seen) < config.degree + 3:
        return None
    u = 2 * pieces.t[seen] / path.length - 1
    peaks, significance = peaks[seen], np.minimum(significance[seen], 20)
    powers = np.vander(u, config.degree + 1, increasing=True)
    residual = peaks - np.median(peaks)
    bend = np.zeros(config.degree + 1)
    # peaks of stars and of noise lose their weight as the scale shrinks
    for scale in (8.0, 4.0, 2.0, 1.0, 1.0):
        weight = significance / (1 + (residual / scale) ** 2)
        bend = np.linalg.lstsq(powers * weight[:, None], peaks * weight, rcond=None)[0]
        residual = peaks - powers @ bend
    total = np.polynomial.polynomial.polyadd(np.array(path.bend), bend)
    if np.abs(total[2:]).sum() > config.largest_bend * path.length:
        return None
    return replace(path, bend=tuple(float(value) for value in total))


def _peaks(pieces: Pieces, window_px: float | None) -> tuple[np.ndarray, np.ndarray]:
    """Centre of light across each piece, in pixels, and its significance in sigmas (0 where unknown)."""
    inner = ~pieces.flank if window_px is None else np.abs(pieces.across) <= window_px
    known = np.nan_to_num(pieces.profiles)
    box = np.ones(5)
    smooth = np.array([np.convolve(profile, box, mode="same") for profile in known])
    smooth[:, ~inner] = -np.inf
    highest = np.argmax(smooth, axis=1)
    near = np.abs(pieces.across[None, :] - pieces.across[highest][:, None]) <= 4
    light = np.where(near, np.maximum(known, 0), 0)
    total = light.sum(axis=1)
    centre = (light * pieces.across).sum(axis=1) / np.maximum(total, 1e-30)
    noise = np.where(pieces.noise > 0, pieces.noise, np.inf) * np.sqrt(box.size)
    significance = np.nan_to_num(smooth[np.arange(highest.size), highest] / noise)
    return np.where(total > 0, centre, pieces.across[highest]), np.maximum(significance, 0)
