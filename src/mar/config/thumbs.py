"""Section `Thumbs`: previews of products."""

from typing import Literal

from mar.config.base import Section, item


class Thumbs(Section):
    """Small PNG images beside the products."""

    type: Literal["logistic", "linear", "log"] = item("logistic", "Stretch of the greys")
    shrink: int = item(5, "Pixels of the frame, along each axis, in one of the thumbnail", unit="pixel", ge=1)
    timeout: int = item(60, "Time limit", unit="s", unused=True, ge=0)
