"""A camera and a sky with known truth; every effect can be switched off.

Imports nothing of the steps that it is made to test.
"""

from mar.simulate.conditions import Conditions
from mar.simulate.effects import Effects
from mar.simulate.night import Night, simulate_night
from mar.simulate.records import FrameTruth
from mar.simulate.samples import RawSample, SkyFrame, plain_camera, simulate_raw, simulate_sky_frame
from mar.simulate.sky import SkyField
from mar.simulate.truth import Truth, true_sky_to_pixel
from mar.simulate.wcs import TrueWcs

__all__ = [
    "Conditions",
    "Effects",
    "FrameTruth",
    "Night",
    "RawSample",
    "SkyField",
    "SkyFrame",
    "TrueWcs",
    "Truth",
    "plain_camera",
    "simulate_night",
    "simulate_raw",
    "simulate_sky_frame",
    "true_sky_to_pixel",
]
