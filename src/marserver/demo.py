"""`mar demo`: a small simulated night, reduced through the HTTP API as an operator or a script would."""

import os
import secrets
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

import httpx
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from mar.camera import load_camera
from mar.errors import MarError
from marclient.client import Client
from marclient.rows import Tile

CAMERA = "t80cam-mini"
NIGHT = date(2024, 3, 1)
USER = "demo"
START_WITHIN_S = 60.0

console = Console()


class DemoFailed(MarError):
    """A part of the demonstration did not do what it should."""


@dataclass(frozen=True)
class Night:
    """How large a night to simulate."""

    biases: int = 5
    flats: int = 4
    exposures: int = 3
    seed: int = 1


def demo(root: Path, port: int, once: bool, night: Night) -> None:
    """Simulate, start the server, reduce, and show what was made. Raises DemoFailed."""
    began = time.monotonic()
    simulate(root, night)
    password = secrets.token_urlsafe(9)
    with server(root, port) as url:
        mar("user", "add", USER, "--role", "operator", "--password-stdin", root=root, typed=password)
        with Client(url) as client:
            client.login(USER, password)
            reduce(client)
            show(client, root)
        console.print(f"The whole night took {time.monotonic() - began:.0f} s.")
        if not once:
            console.print(f"The server is up at {url} (user {USER}, password {password}); Ctrl-C ends it.")
            wait_for_interrupt()


def simulate(root: Path, night: Night) -> None:
    """A night of one field in all bands, and its reference catalogue as a pack."""
    from mar.simulate import simulate_night

    with bar() as progress:
        task = progress.add_task("simulate a night", total=None)
        made = simulate_night(
            root,
            load_camera(CAMERA),
            fields=1,
            exposures=night.exposures,
            biases=night.biases,
            flats=night.flats,
            seed=night.seed,
            day=NIGHT,
            progress=lambda step, done, total: progress.update(task, completed=done, total=total),
        )
    mar("refcat", "add", str(made.reference), "--name", "simulated", root=root)


def reduce(client: Client) -> None:
    """Scan, master bias, master flats, science frames, tiles, colour image."""
    last = NIGHT + timedelta(days=1)
    with bar() as progress:
        follow(client, progress, "scan", client.queue.scan_folder(NIGHT.strftime("%Y%m%d")).job)
        for path, said in (
            (client.biasblock, "master bias"),
            (client.flatblock, "master flats"),
            (client.sciblock, "science"),
        ):
            block = path.create(NIGHT, last)
            follow(client, progress, said, path.process(block.id).job)
        for job in waiting_jobs(client):
            follow(client, progress, "colour image", job)


def waiting_jobs(client: Client) -> list[int]:
    """Operations that queued themselves: the colour image, after the last band's tile."""
    waiting = [one["id"] for one in client.queue.waiting()]
    running = [one["id"] for one in client.queue.running()]
    return list(dict.fromkeys(running + waiting))


def follow(client: Client, progress: Progress, said: str, job: int) -> None:
    """Show an operation until it ends; raises DemoFailed where it failed."""
    task = progress.add_task(said, total=None)
    for seen in client.wait(job, every_s=0.3):
        if seen.ended:
            total = progress.tasks[task].total or 1
            progress.update(task, description=said, completed=total, total=total)
            if seen.error:
                raise DemoFailed(f"{said}: {seen.error} (log: {seen.log_path})")
        elif seen.state == "running":
            step = f"{said} [dim]{seen.step} {seen.band}"
            progress.update(task, description=step, completed=seen.done, total=seen.total or None)


def show(client: Client, root: Path) -> None:
    """Print the tiles with their figures, and where everything is. Raises DemoFailed if something lacks."""
    tiles = client.finaltiles.get(contains="s")
    order = {band: place for place, band in enumerate(load_camera(CAMERA).band_names)}
    table = Table("band", "frames", "FWHM", "astrometry", "depth 5 sigma", "tile")
    for tile in sorted(tiles, key=lambda tile: order[tile["band"]]):
        table.add_row(tile["band"], str(tile["ncombine"]), *figures(tile), tile["file_path"])
    console.print(table)
    images = client.fieldimage.get(contains="s")
    if len(tiles) != len(order) or len(images) != 1:
        raise DemoFailed(f"{len(tiles)} of {len(order)} tiles and {len(images)} of 1 colour image were made")
    console.print(f"Colour image: {root / str(images[0]['file_path'])}", soft_wrap=True)
    console.print(f"Everything is below {root}", soft_wrap=True)


def figures(tile: Tile) -> list[str]:
    """FWHM, astrometric residual and depth of a tile, with units."""
    fwhm, rms, depth = tile["fwhm"], tile["astrometric_rms"], tile["depth"]
    return [
        "-" if fwhm is None else f"{fwhm:.2f} arcsec",
        "-" if rms is None else f"{1000 * rms:.0f} mas",
        "-" if depth is None else f"{depth:.2f} mag",
    ]


@contextmanager
def server(root: Path, port: int) -> Iterator[str]:
    """`mar up` as a process of its own; gives its URL once it answers."""
    log = root / "LOGS" / "demo-server.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("w") as output:
        command = [*MAR, "up", "--root", str(root), "--port", str(port)]
        process = subprocess.Popen(command, stdout=output, stderr=subprocess.STDOUT, env=environment(root))
        try:
            yield answering(process, log)
        finally:
            process.send_signal(signal.SIGINT)
            process.wait()


MAR = [sys.executable, "-c", "from mar.main import main; main()"]


def answering(process: subprocess.Popen[bytes], log: Path) -> str:
    """Wait until the server answers; gives the URL that it printed. Raises DemoFailed where it does not."""
    until = time.monotonic() + START_WITHIN_S
    while process.poll() is None and time.monotonic() < until:
        url = next((word for word in log.read_text().split() if word.startswith("http://")), "")
        if url and answers(url):
            return url
        time.sleep(0.1)
    raise DemoFailed(f"the server did not start: {log.read_text().strip() or 'it said nothing'}")


def answers(url: str) -> bool:
    """Whether requests are accepted."""
    try:
        return httpx.get(f"{url}reduction/openapi.json", timeout=5).is_success
    except httpx.TransportError:
        return False


def mar(*words: str, root: Path, typed: str = "") -> None:
    """Run another command of `mar` on the root; raises DemoFailed with what it said."""
    ended = subprocess.run(
        [*MAR, *words, "--root", str(root)],
        input=f"{typed}\n",
        capture_output=True,
        text=True,
        env=environment(root),
        check=False,
    )
    if ended.returncode:
        raise DemoFailed(f"mar {' '.join(words)}: {(ended.stderr or ended.stdout).strip()}")


def environment(root: Path) -> dict[str, str]:
    """Only the demonstration's own root, camera and database."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("MAR_")}
    return {**kept, "MAR_ROOT": str(root), "MAR_CAMERA": CAMERA}


@contextmanager
def bar() -> Iterator[Progress]:
    """Live progress, one line for each part of the work."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console) as progress:
        yield progress


def wait_for_interrupt() -> None:
    """Until Ctrl-C, or until the process is asked to end."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        while True:
            time.sleep(3600)
    except KeyboardInterrupt:
        console.print("The server is stopped.")
