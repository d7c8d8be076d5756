"""One library packs or unpacks an image: what pixels_fz.py starts, so that memory is its own.

    python files_once.py write|read|band ours|astropy|fitsio FOLDER

`write` packs sky.fits of FOLDER, `read` unpacks ours-sky.fits.fz, `band` 256 rows of it. The seconds of the
call go to WHAT-PROGRAM.s, after one on small images that compiles what there is to compile.
"""

import sys
import time
from collections.abc import Callable
from pathlib import Path

ROWS = 256
LEVEL = 40  # steps of a sigma, for all of them


def ours_write(plain: Path, packed: Path) -> None:
    """Ours: whole or not at all, synced."""
    from mar.io.fits import read_image, write_image

    write_image(packed, *read_image(plain))


def ours_read(packed: Path) -> None:
    """The whole image."""
    from mar.io.fits import read_image

    read_image(packed)


def ours_band(packed: Path) -> None:
    """Some rows of its middle."""
    from mar.io.fits import open_image

    with open_image(packed) as image:
        middle = image.shape[0] // 2
        image.rows(middle, middle + ROWS)


def astropy_write(plain: Path, packed: Path) -> None:
    """The same options by astropy."""
    from astropy.io import fits

    with fits.open(plain) as hdus:
        data = hdus[0].data.astype("f4")
    made = fits.CompImageHDU(data, compression_type="RICE_1", quantize_method=2, quantize_level=LEVEL)
    made.writeto(packed, overwrite=True)


def astropy_read(packed: Path) -> None:
    """The whole image."""
    from astropy.io import fits

    fits.getdata(packed)


def astropy_band(packed: Path) -> None:
    """Some rows of its middle."""
    from astropy.io import fits

    with fits.open(packed) as hdus:
        middle = hdus[1].shape[0] // 2
        hdus[1].section[middle : middle + ROWS]


def fitsio_write(plain: Path, packed: Path) -> None:
    """The same options by fitsio."""
    import fitsio

    data = fitsio.read(str(plain))
    packed.unlink(missing_ok=True)
    with fitsio.FITS(str(packed), "rw") as file:
        file.write(data, compress="RICE", qlevel=LEVEL, qmethod="SUBTRACTIVE_DITHER_2")


def fitsio_read(packed: Path) -> None:
    """The whole image."""
    import fitsio

    fitsio.read(str(packed), ext=1)


def fitsio_band(packed: Path) -> None:
    """Some rows of its middle."""
    import fitsio

    with fitsio.FITS(str(packed)) as file:
        middle = file[1].get_dims()[0] // 2
        file[1][middle : middle + ROWS, :]


WRITERS: dict[str, Callable[[Path, Path], None]]
WRITERS = {"ours": ours_write, "astropy": astropy_write, "fitsio": fitsio_write}
READERS: dict[str, dict[str, Callable[[Path], None]]]
READERS = {
    "read": {"ours": ours_read, "astropy": astropy_read, "fitsio": fitsio_read},
    "band": {"ours": ours_band, "astropy": astropy_band, "fitsio": fitsio_band},
}


def main() -> None:
    """Do what is named first with the program named second in the folder named third."""
    what, name, folder = sys.argv[1], sys.argv[2], Path(sys.argv[3])
    for image in ("small", "sky"):
        began = time.perf_counter()
        if what == "write":
            WRITERS[name](folder / f"{image}.fits", folder / f"{name}-{image}.fits.fz")
        else:
            READERS[what][name](folder / f"ours-{image}.fits.fz")
        seconds = time.perf_counter() - began
    (folder / f"{what}-{name}.s").write_text(f"{seconds}\n")


if __name__ == "__main__":
    main()
