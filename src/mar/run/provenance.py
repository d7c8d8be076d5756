"""Every product says how it was made: software, configuration and inputs with their checksums."""

from collections.abc import Mapping

from mar import __version__
from mar.config import Config, config_hash
from mar.frame import CardValue, Frame
from mar.steps.master_rows import MasterRows

Cards = dict[str, CardValue | tuple[CardValue, str]]


def provenance(config: Config, inputs: Mapping[str, str], job: str = "") -> Cards:
    """Cards for a product made from `inputs` (file name -> FITS DATASUM) by the operation `job`."""
    cards: Cards = {
        "MAR VERSION": (__version__, "software"),
        "MAR CONFIG": (config_hash(config), "hash of the configuration"),
        "MAR NINPUT": (len(inputs), "inputs, with their DATASUM"),
    }
    if job:
        cards["MAR JOB"] = (job, "operation")
    for number, (name, checksum) in enumerate(inputs.items(), start=1):
        cards[f"MAR IN{number}"] = f"{name} {checksum}"
    return cards


def inputs_of(*frames: Frame | MasterRows | None) -> dict[str, str]:
    """File name -> checksum of the frames that there are."""
    return {frame.label: frame.checksum for frame in frames if frame is not None}
