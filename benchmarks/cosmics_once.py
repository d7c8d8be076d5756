"""One program looks for cosmic rays in one frame: what pixels_cosmics.py starts, so that memory is its own.

    python cosmics_once.py astroscrappy|ours|step FOLDER

FOLDER holds the frame (frame.npz: data, its sky as knots and rows, saturated, gain, read_noise_e); written
there are the mask (PROGRAM.npy) and the seconds from arrays in memory to the mask (PROGRAM.s), after a run on
a corner of the frame that compiles what there is to compile.
"""

import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

ROUNDS, SIGCLIP, SIGFRAC, OBJLIM = 4, 4.5, 0.3, 5.0


def astroscrappy(frame: dict[str, np.ndarray]) -> np.ndarray:
    """The peer, with the sky of the frame as its background."""
    from astroscrappy import detect_cosmics

    from mar.steps.background import Cubics

    sky = Cubics(frame["knots"], frame["rows"], frame["data"].shape)
    hits, _ = detect_cosmics(
        frame["data"],
        inmask=frame["saturated"],
        inbkg=sky.drawn(),
        gain=float(frame["gain"]),
        readnoise=float(frame["read_noise_e"]),
        satlevel=np.inf,
        sigclip=SIGCLIP,
        sigfrac=SIGFRAC,
        objlim=OBJLIM,
        niter=ROUNDS,
    )
    return hits


def ours(frame: dict[str, np.ndarray]) -> np.ndarray:
    """The same question to our own L.A.Cosmic."""
    from mar.kernels.left_out import LeftOut
    from mar.kernels.mesh import Sky
    from mar.steps.lacosmic import find_hits, rule_of

    rule = rule_of(SIGCLIP, SIGFRAC, OBJLIM, float(frame["gain"]), float(frame["read_noise_e"]))
    sky, left_out = Sky(frame["knots"], frame["rows"]), LeftOut(frame["saturated"].view(np.uint8), 1)
    return find_hits(frame["data"], sky, left_out, rule, ROUNDS)


def step(frame: dict[str, np.ndarray]) -> np.ndarray:
    """The whole step as it stands in the recipe, its sky measured too."""
    from astropy.io.fits import Header

    from mar.camera import load_camera
    from mar.config.cosmics import Cosmics
    from mar.frame import Frame
    from mar.masks import Bit
    from mar.steps.cosmics import mark_cosmics

    mask = frame["saturated"].view(np.uint8) * np.uint8(Bit.SATURATED)
    whole = Frame(frame["data"], Header(), mask)
    return mark_cosmics(whole, load_camera("t80cam"), Cosmics()).bits(Bit.COSMIC)


def corner(frame: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """A small part of a frame, to compile on."""
    small = {"data": np.s_[:300, :300], "saturated": np.s_[:300, :300], "rows": np.s_[:300]}
    return {name: part[small[name]].copy() if name in small else part for name, part in frame.items()}


def main() -> None:
    """Run the program named first on the frame of the folder named second."""
    programs: dict[str, Callable[[dict[str, np.ndarray]], np.ndarray]]
    programs = {"astroscrappy": astroscrappy, "ours": ours, "step": step}
    name, folder = sys.argv[1], Path(sys.argv[2])
    with np.load(folder / "frame.npz") as stored:
        frame = {key: stored[key] for key in stored}
    programs[name](corner(frame))
    began = time.perf_counter()
    hits = programs[name](frame)
    (folder / f"{name}.s").write_text(f"{time.perf_counter() - began}\n")
    np.save(folder / f"{name}.npy", hits)


if __name__ == "__main__":
    main()
