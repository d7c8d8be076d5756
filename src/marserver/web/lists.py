"""The lists of frames, tiles, colour images and blocks."""

from typing import Any

from django.http import Http404, HttpRequest, HttpResponse

from marserver.archive.kinds import named
from marserver.archive.models import FrameType
from marserver.reduction import site
from marserver.web.asking import listed
from marserver.web.pages import page, show

# A frame's list is as long as the survey: it is ordered by what an index has
FRAME_ORDERS = (("obsDate", "first observed first"),)
TILE_ORDERS = (
    ("field", "field"),
    ("-updated_at", "last made first"),
    ("fwhm", "sharpest first"),
    ("-fwhm", "least sharp first"),
    ("-depth", "deepest first"),
    ("depth", "least deep first"),
)
IMAGE_ORDERS = (("field", "field"), ("-updated_at", "last made first"))
BLOCK_ORDERS = (("-blockStartDate", "latest days first"), ("blockStartDate", "earliest days first"))
BLOCKS = {
    "biasblock": "Bias",
    "flatblock": "Flats of all bands",
    "flatbyfilter": "Flats of a band",
    "sciblock": "Science of all bands",
    "scibyfilter": "Science of a band",
    "superflat": "Fringe frames",
}


@page
def frames(request: HttpRequest) -> HttpResponse:
    """GET /frames: raw and processed frames."""
    asked = listed(request, "individualfile", FRAME_ORDERS, "-obsDate")
    content: dict[str, Any] = {
        "asked": asked,
        "types": FrameType.values,
        "bands": bands(),
        "orders": FRAME_ORDERS,
    }
    return show(request, "frames", "web/lists/frames.html", **content)


@page
def tiles(request: HttpRequest) -> HttpResponse:
    """GET /tiles."""
    content: dict[str, Any] = {
        "asked": listed(request, "finaltiles", TILE_ORDERS),
        "bands": bands(),
        "names": flag_names(),
    }
    return show(request, "tiles", "web/lists/tiles.html", orders=TILE_ORDERS, **content)


@page
def images(request: HttpRequest) -> HttpResponse:
    """GET /images: colour images."""
    content: dict[str, Any] = {"asked": listed(request, "fieldimage", IMAGE_ORDERS), "names": flag_names()}
    return show(request, "images", "web/lists/images.html", orders=IMAGE_ORDERS, **content)


@page
def blocks(request: HttpRequest, kind: str = "biasblock") -> HttpResponse:
    """GET /blocks/biasblock: the blocks of one kind."""
    if kind not in BLOCKS:
        raise Http404(f"no kind of blocks is named {kind}; there are {', '.join(BLOCKS)}")
    content: dict[str, Any] = {"kind": kind, "kinds": BLOCKS.items()}
    content["asked"] = listed(request, kind, BLOCK_ORDERS)
    content |= {"title": BLOCKS[kind], "bands": bands() if "band" in dict(named(kind).columns) else ()}
    return show(request, "blocks", "web/lists/blocks.html", orders=BLOCK_ORDERS, **content)


def bands() -> tuple[str, ...]:
    """The bands of the camera."""
    return tuple(site.camera().band_names)


def flag_names() -> list[str]:
    """What each bit of a flag means here."""
    return list(site.config().config.flag_names)
