"""Parts of an image for the viewer: tiles of pixels and mask, values, marks, what a pixel comes from."""

import math
from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.template.loader import render_to_string

from mar.masks import names_of
from mar.steps.picture import png_bytes
from marserver.errors import Invalid, NotFound
from marserver.reduction.pictures import marks, overlay
from marserver.reduction.pictures.files import is_there
from marserver.reduction.pictures.made_from import frames_of_pixel
from marserver.reduction.pictures.picture import BAND, Picture, picture
from marserver.reduction.pictures.shown import Shown, shown
from marserver.reduction.pictures.sky import to_sky, wcs_of
from marserver.reduction.pictures.stretch import Stretch, brightness
from marserver.web.pages import page
from marserver.web.viewer_answers import answers, number, pixel

KEPT = "private, max-age=86400"  # the address holds the version of the file
A_WHILE = "private, max-age=60"
THUMB_LEVEL = 9  # 2^9 pixels


@page
@answers
def tile(request: HttpRequest, kind: str, row_id: int, level: int, x: int, y: int) -> HttpResponse:
    """GET .../tile/12/3_4?low=&high=&stretch=&invert=: grey pixels of a Deep Zoom tile."""
    stretch = Stretch(number(request, "low"), number(request, "high"), request.GET.get("stretch", "linear"))
    values = part_of(fits_of(shown(kind, row_id)), level, x, y)
    grey = brightness(values, stretch)
    return png(255 - grey if request.GET.get("invert") == "1" else grey)


@page
@answers
def thumb(request: HttpRequest, kind: str, row_id: int) -> HttpResponse:
    """GET .../thumb: all of an image, at most 512 pixels wide and high, with its usual limits."""
    image = fits_of(shown(kind, row_id))
    down = max(0, image.most - THUMB_LEVEL)
    ny, nx = image.size_at(down)
    low, high = image.limits()["zscale"]
    return png(brightness(image.part(down, 0, ny, 0, nx), Stretch(low, high)), A_WHILE)


@page
@answers
def mask(request: HttpRequest, kind: str, row_id: int, level: int, x: int, y: int) -> HttpResponse:
    """GET .../mask/12/3_4?bits=5: the bits of a mask in colours, clear elsewhere."""
    bits = number(request, "bits")
    if not 0 <= bits <= 255:
        raise Invalid("bits must be from 0 to 255")
    values = part_of(picture(shown(kind, row_id).mask, mask=True), level, x, y)
    return png(overlay.coloured(values, int(bits)))


@page
@answers
def value(request: HttpRequest, kind: str, row_id: int) -> HttpResponse:
    """GET .../value?x=&y=: value, mask bits and sky of the pixel at a place (FITS: the first one is 1, 1)."""
    one = shown(kind, row_id)
    image = fits_of(one)
    x, y = pixel(request, "x"), pixel(request, "y")
    column, row = math.floor(x + 0.5) - 1, math.floor(y + 0.5) - 1
    if not (0 <= column < image.shape[1] and 0 <= row < image.shape[0]):
        raise NotFound("outside the image")
    wcs = wcs_of(image)
    sky = [float(one) for one in to_sky(wcs, x, y)] if wcs else [math.nan, math.nan]
    bits = bits_at(one, image, column, row)
    found = {"x": column + 1, "y": row + 1, "value": known(image.value(column, row)), "bits": bits}
    return JsonResponse({**found, "ra": known(sky[0]), "dec": known(sky[1])})


@page
@answers
def catalogue(request: HttpRequest, kind: str, row_id: int) -> HttpResponse:
    """GET .../catalogue?which=sources&x0=&x1=&y0=&y1=: the brightest within some pixels."""
    one = shown(kind, row_id)
    view = [pixel(request, name) for name in ("x0", "x1", "y0", "y1")]
    which = request.GET.get("which", "sources")
    if which == "sources":
        found = marks.sources(one.catalogue)
    elif which == "reference":
        row: Any = one.row
        found = marks.reference(fits_of(one), getattr(row, "obs_date", None) or getattr(row, "date", None))
    else:
        raise Invalid("which must be sources or reference")
    return JsonResponse(marks.within(found, view[0], view[1], view[2], view[3]))


@page
@answers
def origin(request: HttpRequest, kind: str, row_id: int) -> HttpResponse:
    """GET .../origin?x=&y=: the frames that a pixel of a tile comes from, as a part of the page."""
    one = shown(kind, row_id)
    if one.kind not in ("tile", "weight", "count"):
        raise Invalid("only the pixels of tiles come from several frames")
    image = fits_of(one)
    x, y = round(pixel(request, "x")), round(pixel(request, "y"))
    if not (1 <= x <= image.shape[1] and 1 <= y <= image.shape[0]):
        raise NotFound("outside the image")
    row: Any = one.row
    told, frames = frames_of_pixel(row, x, y)
    content = {"told": told, "frames": frames, "x": x, "y": y, "zoom": request.GET.get("zoom", "")}
    return HttpResponse(render_to_string("web/viewer/origin.html", content))


def fits_of(one: Shown) -> Picture:
    """The pixels of what is shown; raises NotFound for a colour image, which has no values."""
    if one.kind == "image":
        raise NotFound("a colour image has no values: look at its tiles")
    return picture(one.path, one.trimmed)


def part_of(image: Picture, level: int, x: int, y: int) -> Any:
    """The values of a tile; raises NotFound for one that is not there."""
    down = image.most - level
    if not 0 <= down <= image.most:
        raise NotFound(f"there are levels 0 to {image.most}")
    ny, nx = image.size_at(down)
    if x * BAND >= nx or y * BAND >= ny:
        raise NotFound("there is no such tile")
    return image.part(down, y * BAND, min(ny, (y + 1) * BAND), x * BAND, min(nx, (x + 1) * BAND))


def bits_at(one: Shown, image: Picture, column: int, row: int) -> list[str]:
    """The names of the mask's bits at a pixel; none where there is no mask of this size."""
    if not is_there(one.mask):
        return []
    beside = picture(one.mask, mask=True)
    return names_of(int(beside.value(column, row))) if beside.shape == image.shape else []


def known(found: float) -> float | None:
    """None for what is no number: JSON has none."""
    return float(f"{found:.10g}") if math.isfinite(found) else None


def png(pixels: Any, kept: str = KEPT) -> HttpResponse:
    """Pixels as a PNG that the browser may keep."""
    response = HttpResponse(png_bytes(pixels, 1), content_type="image/png")
    response["Cache-Control"] = kept
    return response
