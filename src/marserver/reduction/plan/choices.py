"""The masters of a plan in words: which were chosen for which frames, and why, out of which candidates."""

import json
from collections.abc import Iterable
from heapq import nsmallest
from typing import Any

from marserver.reduction.plan.frames import Outlook
from marserver.reduction.plan.judging import RULES, Choice, Judged, path_of

MOST_CANDIDATES = 10


def choices(some: Iterable[Outlook]) -> list[dict[str, Any]]:
    """The masters of science frames, one entry for each distinct choice."""
    gathered: dict[str, dict[str, Any]] = {}
    shown: dict[tuple[int, bool], tuple[str, dict[str, Any]]] = {}
    for one in some:
        if one.dropped:
            continue
        for choice, needed in wanted_by(one):
            known = id(choice), needed
            if known not in shown:
                entry = described(choice, needed)
                shown[known] = json.dumps(entry, default=str), entry
            key, entry = shown[known]
            add(gathered.setdefault(key, {**entry, "dates": [], "frames": []}), choice, [one.frame.pk])
    return list(gathered.values())


def wanted_by(one: Outlook) -> list[tuple[Choice, bool]]:
    """The choices for a frame, and whether a step that runs needs each."""
    pairs = ((one.bias, "ov"), (one.flat, "ov"), (one.superflat, "sf"))
    return [(choice, step in one.steps) for choice, step in pairs if choice is not None]


def choice_for(choice: Choice, frames: Iterable[int]) -> dict[str, Any]:
    """One choice for the frames of a master."""
    entry: dict[str, Any] = {**described(choice, needed=True), "dates": [], "frames": []}
    add(entry, choice, frames)
    return entry


def add(entry: dict[str, Any], choice: Choice, frames: Iterable[int]) -> None:
    """Put frames, and their date, to an entry."""
    day = choice.day.isoformat()
    if day not in entry["dates"]:
        entry["dates"].append(day)
    entry["frames"].extend(frames)


def described(choice: Choice, needed: bool) -> dict[str, Any]:
    """A choice: what was taken and why, or what is missing; and the best of its candidates."""
    best = choice.best
    miss = None if best else choice.nearest_miss()
    return {
        "kind": choice.kind,
        "band": choice.band or None,
        "chosen": best.block.pk if best else None,
        "path": path_of(best.block) if best else None,
        "why": reason(choice, best),
        "needed": needed,
        "fails": choice.missing if best is None and needed and choice.kind != "superflat" else "",
        "nearest_miss": candidate(miss) if miss else None,
        "candidates": [candidate(one) for one in best_first(choice)],
        "candidates_left_out": max(len(choice.judged) - MOST_CANDIDATES, 0),
    }


def best_first(choice: Choice) -> list[Judged]:
    """The candidates that say most: the one taken, those that fit, those that break the fewest rules."""
    return nsmallest(
        MOST_CANDIDATES,
        choice.judged,
        key=lambda one: (one is not choice.best, not one.fits, one.keeps.count(False), one),
    )


def candidate(one: Judged) -> dict[str, Any]:
    """A candidate with the rules that it keeps and breaks."""
    block = one.block
    return {
        "id": block.pk,
        "band": getattr(block, "band", None),
        "blockStartDate": block.block_start_date.isoformat(),
        "blockEndDate": block.block_end_date.isoformat(),
        "days": one.width + 1,
        "days_away": one.days_away,
        "rules": rules_of(one),
    }


def rules_of(one: Judged) -> dict[str, bool]:
    """Each rule and whether it is kept; a bias has no band that could be wrong."""
    rules = dict(zip(RULES, one.keeps, strict=True))
    return (
        rules
        if hasattr(one.block, "band")
        else {name: kept for name, kept in rules.items() if name != "band"}
    )


def reason(choice: Choice, best: Judged | None) -> str:
    """Why this one, or why none."""
    if choice.linked:
        return "linked by setsuperflat" if best else "the linked superflat is not made yet; the fringes stay"
    if best is None:
        stay = "; the fringes stay" if choice.kind == "superflat" else ""
        return choice.missing + stay
    rivals = [one for one in choice.judged if one.fits and one.days_away == best.days_away]
    where = "its dates hold the frame's" if not best.days_away else "none holds the date; it is the nearest"
    if len(rivals) == 1:
        return where
    as_wide = sum(one.width == best.width for one in rivals)
    return f"{where}; of {len(rivals)} it is the {'narrowest' if as_wide == 1 else 'newest of the narrowest'}"
