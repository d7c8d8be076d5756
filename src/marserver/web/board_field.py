"""One field: each band with its tile and frames, its colour image, what runs for it."""

from typing import Any

from django.http import Http404, HttpRequest, HttpResponse

from marserver.accounts.models import Role
from marserver.archive.cells import Cell, State, cells_of
from marserver.archive.models import FieldImage, FinalTile
from marserver.archive.nights import nights_of_field
from marserver.jobs.models import Job
from marserver.web.board_cells import MARKS
from marserver.web.lists import bands as bands_here
from marserver.web.lists import flag_names
from marserver.web.pages import page, show

MOST_NIGHTS = 60
MOST_JOBS = 10
TILE = ("file_thumb", "zeropoint", "ellipticity", "astrometric_rms", "crval1", "crval2", "updated_at")


@page
def field(request: HttpRequest, field: str) -> HttpResponse:
    """GET /field/STRIPE82-0001."""
    cells = cells_of([field], bands_here())[field]
    tiles = {
        row["band"]: row for row in FinalTile.objects.filter(field=field, isvalid=True).values("band", *TILE)
    }
    if not tiles and all(cell.state == State.NOTHING for cell in cells):
        raise Http404(f"no valid frame and no tile of a field named {field}")
    for cell in cells:
        cell.tile |= tiles.get(cell.band, {})
    content: dict[str, Any] = {
        "field": field,
        "cells": [(cell, *MARKS[cell.state]) for cell in cells],
        "centre": next(((row["crval1"], row["crval2"]) for row in tiles.values()), None),
        "image": FieldImage.objects.filter(field=field, isvalid=True).first(),
        "nights": nights_of_field(field, MOST_NIGHTS),
        "jobs": Job.objects.filter(kind="finaltiles", block=field).order_by("-id")[:MOST_JOBS],
        "names": flag_names(),
        "counts": counts(cells),
        "may_change": request.user.may(Role.OPERATOR),  # type: ignore[union-attr]
    }
    return show(request, "board", "web/board/field.html", **content)


def counts(cells: list[Cell]) -> dict[str, int]:
    """The sums over the bands."""
    done = [cell for cell in cells if cell.state in (State.TILE, State.FLAGGED)]
    sums = {name: sum(getattr(cell, name) for cell in cells) for name in ("raw", "ready", "failed")}
    return {"tiles": len(done), "bands": len(cells), **sums}
