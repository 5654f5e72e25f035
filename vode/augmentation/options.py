"""Options of the augmentation of training samples."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Augment:
    """Strength of the augmentation; every strength is half the width of a uniform distribution, 0 is off.

    ``flip`` is a probability. ``brightness`` (exposure: a gain), ``contrast``, ``saturation`` and ``gamma`` draw a
    factor (for gamma an exponent) in 1 +- strength; ``hue`` draws a rotation in +- strength, where 0.5 gives opposite
    colours. ``crop`` is the largest fraction of the height and of the width that is cropped; the rest fills the image.
    """

    flip: float = 0.5
    brightness: float = 0.2
    contrast: float = 0.2
    saturation: float = 0.2
    hue: float = 0.05
    gamma: float = 0.1
    crop: float = 0.0

    def __post_init__(self) -> None:
        if not 0 <= self.flip <= 1:
            raise ValueError(f"flip is a probability, not {self.flip}")
        for name in ("brightness", "contrast", "saturation", "gamma", "crop"):
            if not 0 <= getattr(self, name) < 1:
                raise ValueError(f"{name} lies in 0..1, not {getattr(self, name)}")
        if not 0 <= self.hue <= 0.5:
            raise ValueError(f"hue lies in 0..0.5, not {self.hue}")
