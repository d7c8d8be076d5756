"""Section `config`: what concerns every step."""

from mar.config.base import Section, item


class General(Section):
    """Processes, compression and calibration dates."""

    threads: int = item(0, "Threads of one process; 0 shares the processors among the processes", ge=0)
    processes: int = item(0, "Frames reduced side by side; 0 takes one for each processor", ge=0)
    fpack_tiles: bool = item(True, "Write tiles tile-compressed (.fits.fz)")
    fpack_processed: bool = item(True, "Write processed frames tile-compressed (.fits.fz)")
    use_psfex: bool = item(True, "Measure the PSF of tiles")
    use_gpu: bool = item(False, "Use a GPU", unused=True)
    filter_satellite: bool = item(True, "Look for satellite trails")
    remove_from_ind_header: tuple[str, ...] = item((), "Cards left out of processed frames")
    flag_names: tuple[str, ...] = item(
        (
            "seeing",
            "trailed",
            "background",
            "astrometry",
            "photometry",
            "satellites",
            "cosmic rays",
            "reflections",
            "incomplete",
            "other",
        ),
        "What the bits 1, 2, 4 ... 512 of a tile's flag mean here, lowest first",
        max_length=10,
    )
    max_days: int = item(0, "Days that the nearest calibration may be away; 0 = none", unit="day", ge=0)
