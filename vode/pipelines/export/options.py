"""Options of ``vode export``."""

from __future__ import annotations

import importlib.util
from dataclasses import dataclass
from typing import Literal

from vode.errors import InputError

Target = Literal["onnx", "torch-export"]
Kind = Literal["depth", "flow"]
SMALLEST = 64
"""pixels: least height and width of an exported graph's images"""


@dataclass(frozen=True)
class ExportOptions:
    """What is exported, and what goes in."""

    networks: tuple[Kind, ...] = ("depth", "flow")
    """which networks, a file each"""
    size: tuple[int, int] | None = None
    """height and width of the images; default the size that the model works at"""
    dynamic: bool = False
    """take images of any size and number instead, of 64 pixels and more; padding is part of the graph"""
    precision: Literal["float32", "float16", "int8"] = "float32"
    """of the convolutions; int8 is for depth in ONNX files, and the file says what it loses"""
    image: Literal["float", "uint8"] = "float"
    """what images are: float32 (N, 3, H, W) in 0..1, or uint8 (N, H, W, 3), both RGB"""

    def check(self, to: Target) -> None:
        """Raise InputError where options contradict one another, or ``to`` needs a package that is missing."""
        if self.size is not None and min(self.size) < SMALLEST:
            raise InputError(f"images of {self.size[1]}x{self.size[0]}; give 64 pixels or more", "size")
        if not self.networks:
            raise InputError("no network; name depth, flow, or both", "networks")
        if self.precision == "int8" and (to != "onnx" or self.networks != ("depth",)):
            raise InputError("8 bits are for depth in ONNX files; give --networks depth --to onnx", "precision")
        if to == "onnx":
            check_installed("to")


def check_installed(*parameters: str) -> None:
    """InputError, about ``parameters``, where a package of the extra onnx is missing."""
    missing = [name for name in ("onnx", "onnxruntime", "onnxscript") if importlib.util.find_spec(name) is None]
    if missing:
        raise InputError(f"{missing[0]} is not installed; pip install 'vode[onnx]'", *parameters)
