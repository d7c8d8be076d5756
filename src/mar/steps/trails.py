"""Trails of satellites, aircraft and meteors: found in the binned residual, drawn across the whole frame.

Objects are left out, the rest votes for straight lines (Hough transform, Duda & Hart 1972, CACM 15, 11), and
each candidate is followed at full resolution, where it must be seen along most of its length.
"""

import logging

import numpy as np

from mar.config.reduction import Reduction
from mar.config.trails import Trails
from mar.frame import Frame, recorded
from mar.steps.trail_lines import Line, bright_points, strongest_line
from mar.steps.trail_tracks import Track, follow

log = logging.getLogger(__name__)


@recorded("MAR TRAILS")
def mark_trails(frame: Frame, config: Trails, reduction: Reduction) -> Frame:
    """Set bit TRAIL along each trail, from edge to edge of the frame; the pixels keep their values.

    `frame` is in ADU with its sky; bad and saturated pixels must be marked before. Header: MAR TRAILS N.
    """
    mask = frame.own_mask()
    tracks = find_trails(frame.data, mask, config, reduction)
    for track in tracks:
        track.draw(mask)
    return frame.replace(mask=mask).with_cards({"MAR TRAILS N": (len(tracks), "Trails found")})


def find_trails(data: np.ndarray, mask: np.ndarray, config: Trails, reduction: Reduction) -> list[Track]:
    """The trails of an image (ny, nx) in ADU, the one with most votes first; `mask` uint8 stays as it is."""
    seen = mask.copy()
    points = bright_points(data, mask, config, reduction)
    tracks: list[Track] = []
    for _ in range(config.most_candidates):
        line = strongest_line(points, config, reduction)
        if line is None:
            break
        track = follow(data, seen, line, config, reduction)
        if track is not None:
            track.draw(seen)
            tracks.append(track)
            _tell(line, track)
        points = points.away_from(line, _taken_px(track, points.binning))
    return tracks


def _taken_px(track: Track | None, binning: int) -> float:
    """How far from its line a candidate has used up the points."""
    bend = 0.0 if track is None else float(np.abs(track.path.bend).sum())
    return 1.5 * binning + bend + (0.0 if track is None else track.seen.width_px / 2)


def _tell(line: Line, track: Track) -> None:
    log.info(
        "trail: normal at %.2f deg, %.0f px off the centre, %.1f px wide, peak %.1f sigma, along %.0f %%",
        np.rad2deg(line.angle_rad),
        line.distance_px,
        track.seen.width_px,
        track.seen.peak_sigma,
        100 * track.seen.support,
    )
