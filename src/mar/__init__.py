"""MAR, the Multiband Astronomical Reduction library: pixels and headers in, pixels and headers out."""

from importlib.metadata import version

__version__ = version("mar")
