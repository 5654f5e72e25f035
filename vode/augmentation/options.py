"""Options of the augmentation of training samples."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Augment:
    """Strength of the augmentation; every strength is half the width of a uniform distribution, 0 is off.

    ``flip`` is a probability. ``brightness`` (exposure: a gain), ``contrast``, ``saturation`` and ``gamma`` draw a
    factor (for gamma an exponent) in 1 +- strength; ``hue`` draws a rotation in +- strength, where 0.5 gives opposite
    colours. ``crop`` is the largest fraction of the height and of the width that is cropped; the rest fills the image.

    What makes rendered images more like a camera's is off by default: ``blur`` is the probability of a mild blur and
    ``noise`` the largest standard deviation of the pixels' noise; ``shade`` is the strength of a brightness that rises
    from the top to the bottom, ``balance`` that of a gain of each of R, G and B, and ``independent`` that of a gain
    from each frame of a clip to the next.
    """

    flip: float = 0.5
    brightness: float = 0.2
    contrast: float = 0.2
    saturation: float = 0.2
    hue: float = 0.05
    gamma: float = 0.1
    crop: float = 0.0
    blur: float = 0.0
    noise: float = 0.0
    shade: float = 0.0
    balance: float = 0.0
    independent: float = 0.0

    def __post_init__(self) -> None:
        for name in ("flip", "blur"):
            if not 0 <= getattr(self, name) <= 1:
                raise ValueError(f"{name} is a probability, not {getattr(self, name)}")
        for name in (
            "brightness",
            "contrast",
            "saturation",
            "gamma",
            "crop",
            "noise",
            "shade",
            "balance",
            "independent",
        ):
            if not 0 <= getattr(self, name) < 1:
                raise ValueError(f"{name} lies in 0..1, not {getattr(self, name)}")
        if not 0 <= self.hue <= 0.5:
            raise ValueError(f"hue lies in 0..0.5, not {self.hue}")

    def effects(self) -> bool:
        """Whether images are varied by more than their colours."""
        return any((self.blur, self.noise, self.shade, self.balance, self.independent))


NO_AUGMENT = Augment(0, 0, 0, 0, 0, 0)
"""Leaves samples as they are."""
