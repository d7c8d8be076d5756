"""The tiles of a field become a colour image."""

from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path

from mar.camera import Camera
from mar.config import Config
from mar.io.fits import open_image, write_bytes
from mar.io.names import Layout
from mar.progress import Progress, silent
from mar.recipes.colour_image import colour_image as mix_tiles
from mar.run.field_page import measure_field
from mar.run.products import ColourProducts
from mar.run.pyramid import write_pyramid
from mar.steps.picture import png_bytes, shrunk

THUMB_SIZE = 400  # pixels, for lists


def colour_image(
    tiles: Mapping[str, Path],
    field: str,
    layout: Layout,
    camera: Camera,
    config: Config,
    partial: bool = False,
    progress: Progress = silent,
) -> ColourProducts:
    """Mix the tiles (band -> path) of a field; writes the zoomable picture, the small one and its thumbnail.

    Besides, the bands are compared: the page of the field's quality, and the figures of each pair of bands.

    Raises NotEnoughFrames where bands are missing, unless `partial`.
    """
    with ExitStack() as files:
        readers = {band: files.enter_context(open_image(path)) for band, path in tiles.items()}
        image = mix_tiles(readers, camera, config.colour, partial, progress)
        headers = {band: reader.header for band, reader in readers.items()}
    path = layout.colour_image(field)
    thumb = layout.thumb(path.with_suffix(".fits"))
    pyramid = layout.pyramid(field)
    write_pyramid(pyramid, image.pixels, config.colour.jpeg_quality, progress)
    write_bytes(thumb, png_bytes(shrunk(image.preview, THUMB_SIZE)))
    write_bytes(path, png_bytes(image.preview, config.colour.png_compression))
    progress("quality", 0, 1)
    quality = measure_field(field, headers, layout)
    progress("quality", 1, 1)
    return ColourProducts(path, thumb, image.missing, pyramid, quality.page, quality.pairs)
