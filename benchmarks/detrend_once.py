"""Overscan, trim, bias and flat of frames by one program: what pixels_detrend.py starts.

    python detrend_once.py WORK RAW... --camera NAME --bias FILE --flat FILE --out FILE

Several raw frames are done one after the other, as a worker does, and the masters read anew for each.
"""

import argparse
import sys
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from mar.camera import Camera, load_camera


class Paths(NamedTuple):
    """The camera and the files of one frame; all plain FITS, masters trimmed float32 without masks."""

    camera: Camera
    raw: Path  #: uint16
    bias: Path
    flat: Path
    out: Path


def ours(paths: Paths) -> None:
    """One pass over bands of rows; the written file is on disk (fsync) before it takes its name."""
    from mar.config.scan import Scan
    from mar.io.fits import open_image, read_frame, write_image
    from mar.recipes.detrended import detrend
    from mar.steps.master_rows import MasterRows

    raw = read_frame(paths.raw)
    with open_image(paths.bias) as bias, open_image(paths.flat) as flat:
        masters = [
            MasterRows(image.path.name, image, None, lambda image=image: image.checksum)
            for image in (bias, flat)
        ]
        frame = detrend(raw, paths.camera, *masters, Scan())
    del raw
    write_image(paths.out, frame.data, frame.header)


def ccdproc(paths: Paths) -> None:
    """The same by ccdproc, amplifier by amplifier: a line through the overscan, trim, bias, flat."""
    import warnings

    import ccdproc as peer
    import numpy as np
    from astropy import units
    from astropy.io import fits
    from astropy.modeling.models import Polynomial1D
    from astropy.nddata import CCDData

    warnings.simplefilter("ignore")
    about, unit = paths.camera, units.adu
    with fits.open(paths.raw) as opened:
        raw = opened[0].data
    whole = np.empty(about.shape, np.float32)
    for one in about.amplifiers:
        strip = CCDData(raw[one.overscan_x.slices].astype(np.float32), unit=unit)
        part = CCDData(raw[one.science.slices].astype(np.float32), unit=unit)
        # the strip has the rows of the section
        part = peer.subtract_overscan(
            part, overscan=strip, overscan_axis=1, median=True, model=Polynomial1D(1)
        )
        whole[one.trimmed.slices] = part.data
    frame = CCDData(whole, unit=unit)
    bias = CCDData(fits.getdata(paths.bias).astype(np.float32), unit=unit)
    flat = CCDData(fits.getdata(paths.flat).astype(np.float32), unit=units.dimensionless_unscaled)
    frame = peer.subtract_bias(frame, bias)
    frame = peer.flat_correct(frame, flat, norm_value=1.0)
    fits.writeto(paths.out, frame.data.astype(np.float32), overwrite=True)


def numpy(paths: Paths) -> None:
    """The same in plain numpy and astropy: a line through the medians of the rows of the overscan."""
    import numpy as np
    from astropy.io import fits

    about = paths.camera
    raw, bias, flat = (fits.getdata(path) for path in (paths.raw, paths.bias, paths.flat))
    whole = np.empty(about.shape, np.float32)
    for one in about.amplifiers:
        strip, rows = raw[one.overscan_x.slices], np.arange(one.science.shape[0])
        line = np.polyval(np.polyfit(rows, np.median(strip, axis=1), 1), rows).astype(np.float32)
        np.subtract(raw[one.science.slices], line[:, None], out=whole[one.trimmed.slices])
    whole -= bias
    whole /= flat
    fits.writeto(paths.out, whole, overwrite=True)


WORKS: dict[str, Callable[[Paths], None]] = {"ours": ours, "ccdproc": ccdproc, "numpy": numpy}


def main() -> int:
    """Do one work on each raw frame."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("work", choices=list(WORKS))
    parser.add_argument("raw", type=Path, nargs="+")
    parser.add_argument("--camera", required=True)
    for name in ("bias", "flat", "out"):
        parser.add_argument(f"--{name}", type=Path, required=True)
    given = parser.parse_args()
    camera = load_camera(given.camera)
    for raw in given.raw:
        WORKS[given.work](Paths(camera, raw, given.bias, given.flat, given.out))
    return 0


if __name__ == "__main__":
    sys.exit(main())
