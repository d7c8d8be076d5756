"""The headline work: 11 biases, 9 flats and 4 science frames of one band, through the HTTP API, to a tile.

The peer is the system that operators used before. It cannot be installed everywhere, so it is scaled, not
run: its 686 s are multiplied by what IRAF's imcombine takes here for the 11 biases over the 25.2 s that it
took where the 686 s were measured. On other scales than 1 that factor says little.
"""

import argparse
import atexit
import secrets
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import httpx

import programs
import truth as judged
from conventions import Bar, Figures, in_turn, main
from mar.camera import Camera, load_camera
from mar.io.names import Layout
from mar.masks import Bit
from mar.simulate import Truth, simulate_night
from marclient import Client
from processes import Memory, watched

NIGHT, BAND = date(2024, 3, 1), "R"
BIASES, FLATS, EXPOSURES = 11, 9, 4
PEER_S, PEER_IMCOMBINE_S = 686.0, 25.2
FASTER, MEMORY_GB = 20.0, 3.0
MAR = (sys.executable, "-c", "from mar.main import main; main()")
USER = "bench"


class StageFailed(Exception):
    """An operation of the server ended with an error."""


@dataclass
class Place:
    """Where the night is reduced; made once, used by all works."""

    root: Path
    camera: Camera
    memory: Memory = field(default_factory=Memory)

    @property
    def truth(self) -> Truth:
        """What is true of the night."""
        return Truth(self.root)

    def raw(self, kind: str) -> list[Path]:
        """The raw frames whose names begin so."""
        return sorted((self.root / f"{NIGHT:%Y%m%d}").glob(f"{kind}*.fits*"))


def camera_of(scale: float) -> Camera:
    """The full camera at scale 1, else the mini one."""
    return load_camera("t80cam" if scale == 1 else "t80cam-mini")


def temporary_folder() -> str:
    """A folder that goes when this program ends."""
    folder = tempfile.mkdtemp(prefix="mar-night-")
    atexit.register(shutil.rmtree, folder)
    return folder


def place_of(arguments: argparse.Namespace) -> Place:
    """The root of this run, with its night simulated; the same for all works of a run."""
    if not hasattr(arguments, "place"):
        root = Path(arguments.root or temporary_folder()).resolve()
        arguments.place = Place(root, camera_of(arguments.scale))
        if not (root / "TRUTH").exists():
            sys.stderr.write(f"simulating the night in {root}\n")
            simulate_night(
                root,
                arguments.place.camera,
                fields=1,
                exposures=EXPOSURES,
                bands=[BAND],
                biases=BIASES,
                flats=FLATS,
                day=NIGHT,
            )
    return arguments.place


def night(arguments: argparse.Namespace) -> Figures:
    """Scan, master bias, master flat, science frames and tile through the HTTP API."""
    place = place_of(arguments)
    if (place.root / "mar.sqlite3").exists():
        raise SystemExit(f"{place.root} was reduced before: leave out `night`, or give another --root")
    figures = Figures("night")
    with server(place) as url, Client(url) as client:
        mar(place, "user", "add", USER, "--role", "operator", "--password-stdin", typed=PASSWORD)
        mar(place, "refcat", "add", str(place.truth.reference_path), "--name", "simulated")
        client.login(USER, PASSWORD)
        for stage, seconds in stages(client):
            figures.seconds[stage] = seconds
    figures.seconds["all"] = sum(figures.seconds.values())
    figures.peak_gb = {**place.memory.large(), "all at once": place.memory.together_gb}
    figures.bars.append(Bar("peak of a process", place.memory.largest_gb, MEMORY_GB, unit="GB"))
    arguments.night_s = figures.seconds["all"]
    return figures


PASSWORD = secrets.token_urlsafe(12)


def stages(client: Client) -> Iterator[tuple[str, float]]:
    """Run the night stage by stage; gives each one's name and seconds."""
    dates: dict[str, Any] = {
        "startDate": f"{NIGHT}",
        "endDate": f"{NIGHT + timedelta(days=1)}",
    }
    yield "scan", timed(client, lambda: client.call("scan_folder", path=f"{NIGHT:%Y%m%d}").values["job"])
    for stage, kind, more in (
        ("bias", "biasblock", {}),
        ("flats", "flatbyfilter", {"band": BAND}),
        ("science", "scibyfilter", {"band": BAND}),
    ):
        yield stage, timed(client, lambda kind=kind, more=more: process(client, kind, {**dates, **more}))


def process(client: Client, kind: str, parameters: dict[str, Any]) -> int:
    """Create a block and queue its reduction; gives the job."""
    block = client.call(kind, type="create", **parameters).values["id"]
    return int(client.call(kind, type="process", id=block).values["job"])


def timed(client: Client, ask: Any) -> float:
    """Seconds from asking to the end of the operation; raises StageFailed."""
    began = time.perf_counter()
    for seen in client.wait(ask(), every_s=0.05):
        if seen.error:
            raise StageFailed(f"{seen.error} (log: {seen.log_path})")
    return time.perf_counter() - began


@contextmanager
def server(place: Place) -> Iterator[str]:
    """`mar up` on a free port, watched; gives its URL once it answers."""
    Layout(place.root).make_folders()
    log = place.root / "LOGS" / "bench-server.log"
    command = [*MAR, "up", "--root", str(place.root), "--port", "0"]
    with log.open("w") as output:
        process = subprocess.Popen(command, stdout=output, stderr=subprocess.STDOUT, env=environment(place))
    try:
        with watched(process.pid) as place.memory:
            yield answering(process, log)
    finally:
        process.send_signal(signal.SIGINT)
        process.wait()


def environment(place: Place) -> dict[str, str]:
    """Nothing of the user's own settings but what this run is about."""
    command = programs.Command((), place.root, {"MAR_ROOT": str(place.root), "MAR_CAMERA": place.camera.name})
    ours = {"MAR_ROOT", "MAR_CAMERA"}
    return {key: value for key, value in command.environ().items() if key in ours or key[:4] != "MAR_"}


def answering(process: subprocess.Popen[bytes], log: Path, within_s: float = 120.0) -> str:
    """The URL that the server printed, once it answers; raises StageFailed."""
    until = time.monotonic() + within_s
    while process.poll() is None and time.monotonic() < until:
        url = next((word for word in log.read_text().split() if word.startswith("http://")), "")
        if url and answers(url):
            return url
        time.sleep(0.05)
    raise StageFailed(f"the server did not start: {log.read_text()[-2000:]}")


def answers(url: str) -> bool:
    """Whether requests are accepted."""
    try:
        return httpx.get(f"{url.rstrip('/')}/reduction/openapi.json", timeout=5).is_success
    except httpx.TransportError:
        return False


def mar(place: Place, *words: str, typed: str = "") -> None:
    """Another command of `mar` on the root; raises StageFailed with what it said."""
    done = subprocess.run(
        [*MAR, *words, "--root", str(place.root)],
        input=f"{typed}\n",
        env=environment(place),
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise StageFailed(f"mar {' '.join(words)}: {done.stderr or done.stdout}")


def peer(arguments: argparse.Namespace) -> Figures:
    """IRAF's imcombine on the 11 raw biases, to scale the present system's 686 s."""
    figures = Figures("peer")
    if programs.find("irafcl") is None:
        figures.remarks.append("IRAF is not installed (Debian package iraf): the peer cannot be scaled")
        figures.bars.append(Bar("times faster than the scaled peer", None, FASTER, above=True))
        return figures
    place = place_of(arguments)
    folder = place.root / "TMP" / "iraf"
    run = in_turn({"imcombine": lambda: imcombine(place, folder)}, arguments.rounds)["imcombine"]
    figures.seconds["imcombine ccdclip"] = run.seconds
    figures.peak_gb["imcombine ccdclip"] = run.memory.largest_gb
    factor = run.seconds / PEER_IMCOMBINE_S
    figures.seconds[f"present system, scaled ({factor:.3g} x {PEER_S:g})"] = PEER_S * factor
    figures.remarks.append(
        f"the peer was scaled, not run: imcombine {run.seconds:.2f} s here, {PEER_IMCOMBINE_S} s there, "
        f"factor {factor:.3g}, so {PEER_S:g} s there are {PEER_S * factor:.1f} s here"
    )
    if hasattr(arguments, "night_s"):
        faster = PEER_S * factor / arguments.night_s
        figures.bars.append(Bar("times faster than the scaled peer", faster, FASTER, above=True))
    if arguments.scale != 1:
        figures.remarks.append("the factor means little at this scale: start-up times dominate")
    shutil.rmtree(folder)
    return figures


def imcombine(place: Place, folder: Path) -> programs.Command:
    """Median with ccdclip of the raw biases, as the master bias is made."""
    folder.mkdir(parents=True, exist_ok=True)
    output = folder / "master.fits"
    output.unlink(missing_ok=True)
    options = {
        "combine": "median",
        "reject": "ccdclip",
        "zero": "mode",
        "rdnoise": str(place.camera.read_noise_e),
        "gain": str(place.camera.gain),
    }
    return programs.imcombine(folder, place.raw("bias"), output, **options)


def truth(arguments: argparse.Namespace) -> Figures:
    """The products against the simulated truth."""
    place = place_of(arguments)
    known, layout = place.truth, Layout(place.root)
    frames = [frame for frame in known.frames.values() if frame.type == "SCI"]
    names, sky_field = [frame.name for frame in frames], frames[0].field
    if not judged.existing(layout, sky_field, BAND).exists():
        raise SystemExit(f"no tile below {place.root}: run `night` too, or give its --root")
    figures = Figures("truth")
    solved = judged.solved(place.root, names)
    figures.bars.append(Bar("frames without astrometry", float(len(names) - sum(solved.values())), 0.5))
    for bit, recall, purity in (
        (Bit.COSMIC, 0.90, 0.50),
        (Bit.TRAIL, 0.85, 0.60),
        (Bit.SATURATED, 0.95, 0.50),
    ):
        found = judged.mask_score(place.root, known, names, bit)
        word = str(bit.name).lower()
        figures.bars += [
            Bar(f"{word} pixels, recall", found.recall, recall, above=True),
            Bar(f"{word} pixels, purity", found.purity, purity, above=True),
        ]
    figures.bars += tile_bars(place, layout, names, sky_field)
    return figures


def tile_bars(place: Place, layout: Layout, names: list[str], sky_field: str) -> list[Bar]:
    """Positions, magnitudes and noise of the tile."""
    known = place.truth
    tile, weight = (judged.existing(layout, sky_field, BAND, kind) for kind in ("", "weight"))
    zeropoint = judged.zeropoint(tile)
    stars = judged.match_tile(layout.tile_catalog(sky_field, BAND), known, sky_field, BAND)
    where = judged.positions(stars)
    bright = judged.magnitudes(stars, BAND, zeropoint)
    ideal = judged.ideal_noise(known, place.camera, names, zeropoint)
    excess = judged.tile_noise(tile, weight) / ideal - 1
    return [
        Bar("astrometry of the tile, rms east", where.rms[0], 55, unit="mas"),
        Bar("astrometry of the tile, rms north", where.rms[1], 55, unit="mas"),
        Bar("astrometry of the tile, offset", float(abs(complex(*where.offset))), 30, unit="mas"),
        Bar("photometric scatter over the tile", 1000 * bright.scatter_mag, 30, unit="mmag"),
        Bar("noise of the tile above the ideal", 100 * excess, 10, unit="%"),
    ]


def options(parser: argparse.ArgumentParser) -> None:
    """What only this benchmark takes."""
    parser.add_argument("--root", metavar="DIR", help="reduce here and keep it; default a folder that goes")


if __name__ == "__main__":
    sys.exit(main(__doc__, {"night": night, "peer": peer, "truth": truth}, extra=options))
