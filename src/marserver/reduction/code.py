"""The execution code: which steps of a science reduction run."""

import re

from marserver.errors import Invalid

COADD = "co"  # the step at which a frame is left out of its tile
WORDS = {"ov": 1, "sf": 2, "mc": 3, "am": 5, COADD: 0}  # status that each brings a frame to


def parse(code: str) -> frozenset[str]:
    """The words of an execution code, in any order, between blanks or commas; all where it is empty.

    Raises Invalid for an unknown word.
    """
    words = re.split(r"[\s,]+", code.strip()) if code.strip(" ,\t\n\r") else list(WORDS)
    wanted = {word for word in words if word}
    unknown = sorted(wanted - set(WORDS))
    if unknown:
        raise Invalid(
            f"code: unknown {', '.join(unknown)}; accepted are any of {' '.join(WORDS)}, empty for all"
        )
    return frozenset(wanted)


def spell(code: str) -> str:
    """The code as the queue shows it: words in the order in which they run, empty for all."""
    words = parse(code)
    return "" if len(words) == len(WORDS) else " ".join(word for word in WORDS if word in words)


def steps_from(code: frozenset[str], status: int) -> tuple[str, ...]:
    """The steps of a code that a frame of this status still needs, in the order in which they run."""
    return tuple(word for word, after in WORDS.items() if word in code and after > status)
