"""What an operation does with which frames and masters, decided in one place.

The tasks act on it, and `plan: true` only tells of it, so that a plan says what will happen.
"""

from marserver.reduction.plan.masters import Shelf, bias_for, flat_for

__all__ = ["Shelf", "bias_for", "flat_for"]
