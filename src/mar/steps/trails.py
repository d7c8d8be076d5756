"""Trails of satellites, aircraft and meteors: found in the binned residual, drawn across the whole frame.

Objects are left out, the rest votes for straight lines (Hough transform, Duda & Hart 1972, CACM 15, 11), and
each candidate is followed at full resolution, where it must be seen along most of its length.
"""

import logging

import numpy as np

from mar.config.reduction import Reduction
from mar.config.trails import Trails
from mar.frame import Frame, recorded
from mar.masks import Bit, empty_mask
from mar.steps.trail_lines import candidates, residual_of
from mar.steps.trail_tracks import Track, follow

STRONG = 1.5  # times the limit of a candidate; where stars are many such a line may show between them only

log = logging.getLogger(__name__)


@recorded("MAR TRAILS")
def mark_trails(frame: Frame, config: Trails, reduction: Reduction) -> Frame:
    """Set bit TRAIL along each trail, from edge to edge of the frame; the pixels keep their values.

    `frame` is in ADU with its sky; bad and saturated pixels must be marked before. Header: MAR TRAILS N.
    """
    mask = empty_mask(frame.data.shape) if frame.mask is None else frame.mask
    tracks = find_trails(frame.data, mask, config, reduction)
    mask = mask.copy() if tracks else mask
    for track in tracks:
        track.draw(mask)
    return frame.replace(mask=mask).with_cards({"MAR TRAILS N": (len(tracks), "Trails found")})


def find_trails(data: np.ndarray, mask: np.ndarray, config: Trails, reduction: Reduction) -> list[Track]:
    """The trails of an image (ny, nx) in ADU, the most significant first; `mask` uint8 stays as it is."""
    seen = mask & np.uint8(~Bit.OBJECT & 0xFF)
    residual = residual_of(data, mask, config, reduction)
    between: np.ndarray | None = None  # the same without compact objects, made where it is needed
    tracks: list[Track] = []
    left = config.most_candidates
    searching = True
    while searching:
        searching = False  # again only where a trail was found that may have outshone others
        for line in candidates(residual, config, reduction):
            if left == 0:
                return tracks
            near = residual.path_of(line).within(data.shape)
            track = follow(data, seen, near, residual.binning, config, reduction)
            if track is None and line.sigma > STRONG * config.candidate_sigma:
                between = residual.hide_objects(seen) if between is None else between
                track = follow(data, between, near, residual.binning, config, reduction)
            if track is None:
                left -= 1
                residual.without(near, 1.5 * residual.binning)
                continue
            searching = True
            while track is not None:  # and what flies beside it, as lamps of an aircraft
                track.hide(seen)
                if between is not None:
                    track.hide(between)
                tracks.append(track)
                _tell(track)
                residual.without(track.path, 1.5 * residual.binning + track.breadth_px / 2)
                track = follow(data, seen, near, residual.binning, config, reduction)
    return tracks


def _tell(track: Track) -> None:
    x, y = track.path.points(np.array([0.0, track.path.length]))
    log.info(
        "trail: from (%.0f, %.0f) to (%.0f, %.0f), %.1f px wide, peak %.1f sigma, seen along %.0f %%",
        x[0],
        y[0],
        x[1],
        y[1],
        track.edges.width_px,
        track.peak_sigma,
        100 * track.support,
    )
