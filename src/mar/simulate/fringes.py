"""Fringes: interference of the night sky's lines in the thin chip, a fixed pattern."""

import numpy as np

from mar.simulate.chance import chance


def fringe_pattern(shape: tuple[int, int], seed: int, y0: int = 0, y1: int | None = None) -> np.ndarray:
    """Rows y0 to y1 of the pattern of a chip (ny, nx): float32, mean zero, amplitude one.

    Contours of a smoothly varying thickness, with a period of some tens of pixels.
    """
    ny, nx = shape
    y1 = ny if y1 is None else y1
    rng = chance(seed, "fringes")
    scale = max(shape)
    waves = rng.normal(0, 1, (4, 2)) * np.array([[0.8], [1.3], [2.2], [3.5]])
    phases = rng.uniform(0, 2 * np.pi, 4)
    strengths = np.array([9.0, 5.0, 2.5, 1.2]) * max(1.0, scale / 2500)
    y = (np.arange(y0, y1, dtype=np.float32) / scale)[:, None]
    x = np.arange(nx, dtype=np.float32) / scale
    thickness = np.zeros((y1 - y0, nx), dtype=np.float32)
    for (along_x, along_y), phase, strength in zip(waves, phases, strengths, strict=True):
        thickness += np.float32(strength) * np.sin(
            np.float32(2 * np.pi * along_x) * x + np.float32(2 * np.pi * along_y) * y + np.float32(phase)
        )
    # Two close sky lines: their fringes beat
    return 0.7 * np.cos(np.float32(2) * thickness) + 0.3 * np.cos(np.float32(2.3) * thickness + 1)
