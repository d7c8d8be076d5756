"""The plan as an operator gets it: frames, masters, steps, tiles, colour images, and how long it may take."""

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from marserver.archive.models import IndividualFile
from marserver.reduction.code import COADD, WORDS
from marserver.reduction.plan.choices import choice_for, choices
from marserver.reduction.plan.estimate import estimate
from marserver.reduction.plan.frames import Outlook
from marserver.reduction.plan.judging import Choice
from marserver.reduction.plan.scope import Entry, usable
from marserver.reduction.plan.tiles import Colour, Tile


@dataclass
class Plan:
    """What an operation would do."""

    refused: str = ""  # why it would not be queued
    used: list[dict[str, Any]] = field(default_factory=list)
    dropped: list[dict[str, Any]] = field(default_factory=list)
    masters: list[dict[str, Any]] = field(default_factory=list)
    steps: list[dict[str, Any]] = field(default_factory=list)
    tiles: list[dict[str, Any]] = field(default_factory=list)
    colour: list[dict[str, Any]] = field(default_factory=list)
    estimate: dict[str, Any] = field(default_factory=dict)

    def told(self) -> dict[str, Any]:
        """The member `plan` of the answer."""
        return {
            "would_run": not self.refused,
            "refused": self.refused,
            "frames": {"used": self.used, "dropped": self.dropped},
            "masters": self.masters,
            "steps": self.steps,
            "tiles": self.tiles,
            "colour": self.colour,
            "estimate": self.estimate,
        }

    def sentence(self, what: str) -> str:
        """The plan in one sentence; says that nothing was changed."""
        if self.refused:
            return f"plan of {what}: it would be refused: {self.refused}"
        frames = f"{len(self.used)} of {len(self.used) + len(self.dropped)} frames"
        steps = " ".join(step["step"] for step in self.steps) or "nothing"
        tiles = sum(not tile["fails"] for tile in self.tiles)
        words = [f"plan of {what}: {frames}, {steps}"]
        words += [f"{tiles} tiles"] if self.tiles else []
        seconds = self.estimate["seconds"]
        words += [f"about {seconds:g} s" if seconds is not None else self.estimate["rests_on"]]
        return ", ".join(words) + "; nothing was changed"


def shown(frame: IndividualFile, status: int | None = None) -> dict[str, Any]:
    """A frame of a plan."""
    return {
        "id": frame.pk,
        "file_name": frame.file_name,
        "band": frame.band,
        "field": frame.field,
        "status": frame.status if status is None else status,
    }


def left_out(frame: IndividualFile, status: int | None, reason: str, fails: bool = False) -> dict[str, Any]:
    """A frame that nothing is done with; `fails` where it is tried and fails for that reason."""
    return {**shown(frame, status), "reason": reason, "fails": fails}


def of_science(
    function: str, code: str, some: list[Outlook], made: list[Tile], coloured: list[Colour], refused: str = ""
) -> Plan:
    """The plan of an operation on science frames."""
    used = [{**shown(one.frame, one.status), "steps": list(one.steps)} for one in some if one.runs]
    dropped = [
        left_out(one.frame, one.status, one.dropped or one.fails, bool(one.fails))
        for one in some
        if not one.runs
    ]
    good = [tile for tile in made if not tile.fails]
    return Plan(
        refused=refused,
        used=used,
        dropped=dropped,
        masters=choices(some),
        steps=steps_of(some, good),
        tiles=[
            {"field": tile.field, "band": tile.band, "frames": tile.frames, "fails": tile.fails}
            for tile in made
        ],
        colour=[
            {"field": one.field, "queued": one.queued, "missing": one.missing, "waiting": one.waiting}
            for one in coloured
        ],
        estimate=estimate(function, code, {"frames": len(used), "tiles": len(good)}),
    )


def steps_of(some: list[Outlook], made: list[Tile]) -> list[dict[str, Any]]:
    """The steps in their order, with the number of frames that each is run on."""
    counts = Counter(step for one in some if one.runs for step in one.steps)
    counts[COADD] = sum(tile.frames for tile in made)
    steps: list[dict[str, Any]] = [{"step": word, "frames": counts[word]} for word in WORDS if counts[word]]
    for step in steps:
        if step["step"] == "sf":  # frames of other bands only pass through
            step["subtracted"] = sum(one.defringed for one in some if one.runs)
    return steps


def of_master(
    function: str,
    parts: list[tuple[list[Entry], Choice | None]],
    refused: str = "",
    kept: list[Entry] | None = None,
) -> Plan:
    """The plan of one or more masters, each with its frames and its bias; `kept` frames are not combined."""
    plan = Plan(refused=refused)
    combined = 0
    for entries, bias in parts:
        frames = usable(entries)
        sentence = bias.missing if bias is not None and bias.best is None else ""
        if bias is not None:
            plan.masters.append(choice_for(bias, [frame.pk for frame in frames]))
        if sentence:
            plan.dropped += [left_out(frame, None, sentence, fails=True) for frame in frames]
        else:
            plan.used += [{**shown(frame), "steps": ["combine"]} for frame in frames]
            combined += len(frames)
        plan.dropped += [left_out(one.frame, None, one.dropped) for one in entries if one.dropped]
    plan.dropped += [left_out(one.frame, None, one.dropped) for one in kept or []]
    plan.steps = [{"step": "combine", "frames": combined}] if combined else []
    plan.estimate = estimate(function, "", {"frames": combined})
    return plan


def of_colour(field_name: str, bands: list[str], missing: list[str], refused: str = "") -> Plan:
    """The plan of a colour image."""
    return Plan(
        refused=refused,
        steps=[{"step": "colour", "frames": 0}],
        colour=[{"field": field_name, "queued": not refused, "missing": missing, "bands": bands}],
        estimate=estimate("process_fieldimage", "", {"images": 1}),
    )
