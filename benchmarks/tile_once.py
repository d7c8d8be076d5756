"""Our coadd alone, from processed frames to tile, weight, count and index: what sky_tile.py starts.

    python tile_once.py ROOT CAMERA FRAME...

The maps go to ROOT/TMP; nothing is measured on the tile.
"""

import sys
from contextlib import ExitStack
from pathlib import Path

from mar.camera import load_camera
from mar.config import load_config
from mar.exposure import read_exposure
from mar.io.catalogs import read_catalog
from mar.io.fits import open_image, scratch_rows, stem, write_image
from mar.io.names import Layout
from mar.io.tile_index import STEP, IndexedFrame, index_writer
from mar.recipes.tile import FrameInput, TileWriters, plan_tile, write_tile
from mar.steps.grid import field_grid, wcs_cards
from mar.steps.rough import rough_from_header


def main() -> None:
    """Make the tile."""
    layout, camera = Layout(Path(sys.argv[1])), load_camera(sys.argv[2])
    config = load_config(layout.scratch / "plain.toml")
    with ExitStack() as files:
        inputs = []
        for path in map(Path, sys.argv[3:]):
            name = stem(path).removeprefix("proc_")
            image = files.enter_context(open_image(path))
            mask = files.enter_context(open_image(layout.bpmask(name)))
            exposure = read_exposure(image.header, camera, stem(path))
            inputs.append(
                FrameInput(image, mask, image.header, exposure, read_catalog(layout.frame_catalog(name)))
            )
        first = inputs[0]
        centre = rough_from_header(first.header, tuple(first.image.shape)).crval
        grid = field_grid(*centre, camera, config.coadd, config.swarp.image_size)
        plan = plan_tile(inputs, grid, camera, config.coadd, config.swarp)
        maps = {
            name: files.enter_context(scratch_rows(layout.scratch, f"once{name}", grid.shape, kind))
            for name, kind in (("tile", "f4"), ("weight", "f4"), ("count", "u2"))
        }
        index = files.enter_context(index_writer(layout.scratch / "once.runs.tmp"))
        write_tile(plan, TileWriters(*maps.values(), index))
        headers = {one.exposure.name: one.header for one in inputs}
        indexed = [
            IndexedFrame(
                one.name, "", placed.rows.shape, wcs_cards(headers[one.name]), placed.weights_over(STEP)
            )
            for one, placed in zip(plan.used, plan.placed, strict=True)
        ]
        index.finish(layout.scratch / "tileframes.fits", indexed, grid.header())
        for name, one in maps.items():
            write_image(layout.scratch / f"{name}.fits", one.pixels, plan.header)
            one.release()


if __name__ == "__main__":
    main()
