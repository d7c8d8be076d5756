"""One library combines frames into their median: what pixels_combine.py starts, so that memory is its own.

    python libraries_once.py --list
    python libraries_once.py NAME OUTPUT FRAME...

`--list` prints the names of those that are installed. Each reads all frames, as its users do, and writes the
result as FITS.
"""

import sys
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path

import numpy as np
from astropy.io import fits

CCDPROC_BYTES = 4e9


def stack_of(paths: list[Path]) -> np.ndarray:
    """All frames, (n, rows, columns) float32."""
    shape = fits.getdata(paths[0]).shape
    stack = np.empty((len(paths), *shape), dtype="f4")
    for frame, path in zip(stack, paths, strict=True):
        frame[...] = fits.getdata(path)
    return stack


def with_numpy(paths: list[Path]) -> np.ndarray:
    """numpy's median along the frames."""
    return np.median(stack_of(paths), axis=0)


def with_bottleneck(paths: list[Path]) -> np.ndarray:
    """bottleneck's median of each pixel's values, which must lie side by side."""
    import bottleneck

    return bottleneck.median(np.moveaxis(stack_of(paths), 0, -1).copy(), axis=-1)


def with_ccdproc(paths: list[Path], clip: bool) -> np.ndarray:
    """ccdproc's combine in float32, part after part: its Combiner takes more than 20 GB for 11 frames."""
    from ccdproc import combine

    rule = {"sigma_clip": True, "sigma_clip_func": np.ma.median} if clip else {}
    files = [str(path) for path in paths]
    made = combine(files, method="median", unit="adu", dtype="f4", mem_limit=CCDPROC_BYTES, **rule)
    return np.asarray(made.data, dtype="f4")


LIBRARIES: dict[str, tuple[str, Callable[[list[Path]], np.ndarray]]] = {
    "numpy-median": ("numpy", with_numpy),
    "bottleneck-median": ("bottleneck", with_bottleneck),
    "ccdproc-median": ("ccdproc", lambda paths: with_ccdproc(paths, clip=False)),
    "ccdproc-sigma-clip": ("ccdproc", lambda paths: with_ccdproc(paths, clip=True)),
}


def main() -> None:
    """Run the library named first, or list them."""
    if sys.argv[1] == "--list":
        print("\n".join(name for name, (package, _) in LIBRARIES.items() if find_spec(package)))
        return
    _, combine = LIBRARIES[sys.argv[1]]
    made = combine([Path(name) for name in sys.argv[3:]])
    fits.writeto(sys.argv[2], made.astype("f4"), overwrite=True)


if __name__ == "__main__":
    main()
