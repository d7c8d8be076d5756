"""The named errors of the library; each message says what is wrong and what to do about it."""

from collections.abc import Mapping


class MarError(Exception):
    """Anything that the library refuses to do, with a sentence for the operator."""


class BadImage(MarError):
    """A file is not a readable FITS image of the expected shape."""


class BadHeader(MarError):
    """A header card is missing or cannot be understood."""


class BadCamera(MarError):
    """A camera file is incomplete or contradicts itself."""


class BadConfig(MarError):
    """A configuration item is unknown or out of its bounds."""


class BadYaml(BadCamera, BadConfig):
    """A YAML file of the existing system is not plain data; cameras and configurations come from it."""


class MissingMaster(MarError):
    """A frame needs a master that does not exist."""


class NotEnoughFrames(MarError):
    """Too few usable frames to combine; `left_out` has the reason by the name of each that was not."""

    def __init__(self, message: str, left_out: Mapping[str, str] | None = None) -> None:
        super().__init__(message)
        self.left_out = dict(left_out or {})


class NoReference(MarError):
    """The reference catalogue holds no star in the field."""


class ReferenceUnreachable(MarError):
    """The reference catalogue cannot be read now; the same request may work later."""


class NotSolved(MarError):
    """No trustworthy astrometric solution was found."""


class StepFailed(MarError):
    """A step of a reduction failed; `step` is its code word, the message that of the error behind it."""

    def __init__(self, step: str, error: MarError) -> None:
        super().__init__(str(error))
        self.step = step
        self.later = isinstance(error, ReferenceUnreachable)  #: the same may go well later
