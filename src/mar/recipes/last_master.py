"""A new master is compared with the last good one, and the comparison is written down."""

from typing import NamedTuple

from astropy.io.fits import Header

from mar.camera import Camera
from mar.errors import BadImage
from mar.frame import Frame, set_cards
from mar.steps.master_change import compare_masters
from mar.steps.master_rows import MasterRows


class Limits(NamedTuple):
    """What two masters may differ by without a warning."""

    level: float  #: of an amplifier's median, in `unit`
    sigmas: float  #: beyond which a pixel counts as changed
    changed: float  #: part of the pixels
    unit: str = ""  #: of the master; empty where it is about 1


class Compared(NamedTuple):
    """What the log is told."""

    remarks: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()


def compare_with_last(made: Frame, last: MasterRows | None, camera: Camera, limits: Limits) -> Compared:
    """Compare a master with the last good one, if there is one, and add the cards to its header, in place.

    A last master that cannot be compared (of another shape, damaged) is a warning and no more.
    """
    if last is None:
        return Compared()
    try:
        change = compare_masters(made.data, made.own_mask(), last, camera, limits.sigmas, limits.unit)
    except BadImage as error:
        return Compared(warnings=(f"not compared with the last master {last.label}: {error}",))
    set_cards(made.header, change.cards())
    return Compared((change.summary(),), tuple(change.warnings(limits.level, limits.changed)))


def note_warnings(header: Header, warnings: tuple[str, ...]) -> None:
    """Put warnings into a master's header, in place, where whoever opens it finds them."""
    for warning in warnings:
        header.add_comment(f"WARNING: {warning}")
