"""The image viewer: the page, and what its script asks about the image as a whole."""

import re
from typing import Any
from urllib.parse import quote

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect
from django.urls import reverse
from PIL import Image, UnidentifiedImageError

from mar.errors import MarError
from marserver.archive.models import FinalTile
from marserver.errors import NotFound
from marserver.reduction.pictures import overlay
from marserver.reduction.pictures.files import is_there, opened
from marserver.reduction.pictures.picture import BAND, Picture, picture
from marserver.reduction.pictures.shown import Shown, companions, shown
from marserver.reduction.pictures.sky import lattice, placed, wcs_of
from marserver.reduction.pictures.stretch import STRETCHES
from marserver.web.pages import page, show
from marserver.web.viewer_answers import answers

BLOCKS = {
    "bias": "biasblock",
    "flat": "flatbyfilter",
    "superflat": "superflat",
    "biasmask": "biasblock",
    "flatmask": "flatbyfilter",
}
PLACES = {
    "frame": "frames",
    "trimmed": "frames",
    "image": "images",
    **dict.fromkeys(("tile", "weight", "count"), "tiles"),
    **dict.fromkeys(BLOCKS, "blocks"),
}
MASKS = ("biasmask", "flatmask")  # of masters: 0 is good
ALIKE = 0.01  # of the ratios of sides of a picture and of the tiles it is made from
LARGEST_SIDE = 100_000  # pixels of a colour image whose head is believed
SIZE = re.compile(rb'<Size Width="(\d{1,5})" Height="(\d{1,5})"/>')  # of a Deep Zoom image


@page
def view(request: HttpRequest, kind: str, row_id: int) -> HttpResponse:
    """GET /view/tile/3?blink=tile-4&x=&y=&zoom=&low=&high=&stretch=&mask=&marks="""
    try:
        one = shown(kind, row_id)
        opened(one.path)[0].close()
    except NotFound as error:
        return show(
            request,
            PLACES.get(kind, "tiles"),
            "web/viewer/missing.html",
            status=404,
            reason=str(error),
            kind=kind,
        )
    after = after_of(one)
    if after and request.GET.get("blink") in (str(after), f"frame-{after}"):
        return redirect(f"{reverse('view', args=['trimmed', row_id])}?blink=frame-{after}")
    beside = [other for other in companions(one) if is_there(other.path)]
    content: dict[str, Any] = {
        "shown": one,
        "about": about_page(one),
        "after": after,
        "companions": beside,
        "stretches": STRETCHES,
        "bits": overlay.described() if any(is_there(some.mask) for some in (one, *beside)) else [],
        "has_catalogue": is_there(one.catalogue),
        "has_stars": one.kind in ("frame", "tile", "weight", "count"),
        "has_origin": one.kind in ("tile", "weight", "count"),
        "values": one.kind != "image" or bool(beside),
    }
    return show(request, PLACES[one.kind], "web/viewer/page.html", **content)


def after_of(one: Shown) -> int | None:
    """The id of the processed frame of a raw one that is shown as it is stored."""
    row: Any = one.row
    return row.processed_id if one.kind == "frame" else None


def about_page(one: Shown) -> str:
    """The address of the page about it."""
    if one.kind in BLOCKS:
        return reverse("block", args=[BLOCKS[one.kind], one.id])
    return reverse(one.page, args=[one.id])


@page
@answers
def info(request: HttpRequest, kind: str, row_id: int) -> HttpResponse:
    """GET /view/tile/3/info?on=tile-4: size, limits, sky; with `on` also how it lies on that image."""
    one = shown(kind, row_id)
    found = about_colours(one) if one.kind == "image" else about(one, picture(one.path, one.trimmed))
    on = request.GET.get("on", "")
    if on:
        found["placed"] = placed(sky_picture(one), sky_picture(named(on)))
    return JsonResponse(found)


def about(one: Shown, image: Picture) -> dict[str, Any]:
    """An image of FITS."""
    wcs = wcs_of(image)
    return {
        "key": one.key,
        "title": one.title,
        "width": image.shape[1],
        "height": image.shape[0],
        "tile": BAND,
        "levels": image.most,
        "mask": is_there(one.mask),
        "version": f"{image.stamp.changed_ns:x}-{image.stamp.size:x}",
        "unit": str(image.header.get("BUNIT", "")).strip(),
        "limits": {name: [0, 1] for name in image.limits()} if one.kind in MASKS else image.limits(),
        "lattice": lattice(image, wcs) if wcs else None,
    }


def about_colours(one: Shown) -> dict[str, Any]:
    """A colour image: the pyramid beside it, else the picture itself; where it is on the sky by its tiles.

    The picture may be smaller than the tiles: it is measured in their pixels.
    """
    file, stamp = opened(one.path)
    with file:
        width, height = size_of(file, stamp.path)
    pyramid = stamp.path.rpartition(".")[0] + ".dzi"
    width, height = size_of_pyramid(pyramid) or (width, height)
    image = tile_below(one)
    if image and abs(width * image.shape[0] / (height * image.shape[1]) - 1) < ALIKE:
        height, width = image.shape
    wcs = wcs_of(image) if image and image.shape == (height, width) else None
    return {
        "key": one.key,
        "title": one.title,
        "width": width,
        "height": height,
        "version": f"{stamp.changed_ns:x}-{stamp.size:x}",
        "media": "/media/" + quote(pyramid if is_there(pyramid) else stamp.path),
        "lattice": lattice(image, wcs) if image and wcs else None,
    }


def size_of(file: Any, name: str) -> tuple[int, int]:
    """Columns and rows of a PNG, from its head alone; raises NotFound where it is none."""
    try:
        width, height = Image.open(file, formats=["PNG"]).size
    except (UnidentifiedImageError, Image.DecompressionBombError, OSError, ValueError) as error:
        raise NotFound(f"{name} is no PNG that can be shown") from error
    if max(width, height) > LARGEST_SIDE:
        raise NotFound(f"{name} is larger than {LARGEST_SIDE} pixels")
    return width, height


def size_of_pyramid(path: str) -> tuple[int, int] | None:
    """Columns and rows of a Deep Zoom image, which its preview has fewer of; None where there is none."""
    if not is_there(path):
        return None
    file, _ = opened(path)
    with file:
        size = SIZE.search(file.read(1000))
    return (int(size[1]), int(size[2])) if size else None


def tile_below(one: Shown) -> Picture | None:
    """The first tile of a colour image's field that is there."""
    row: Any = one.row
    for tile in FinalTile.objects.filter(field=row.field, isvalid=True).order_by("band"):
        try:
            return picture(tile.file_path)
        except (NotFound, MarError):
            continue
    return None


def sky_picture(one: Shown) -> Picture:
    """The image whose grid something has; raises NotFound."""
    found = tile_below(one) if one.kind == "image" else picture(one.path, one.trimmed)
    if found is None:
        raise NotFound(f"no tile of {one.title} is there to tell where it is on the sky")
    return found


def named(key: str) -> Shown:
    """The image that a key like tile-4 names; raises NotFound."""
    kind, _, number = key.partition("-")
    if not (number.isascii() and number.isdigit() and len(number) < 20):
        raise NotFound("an image is named by its kind and id, as in tile-4")
    return shown(kind, int(number))
