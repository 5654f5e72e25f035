"""Entry points of torch.hub: ``torch.hub.load(PATH_OF_THIS_FOLDER, "vode_small", source="local")``."""

from __future__ import annotations

from typing import Any

dependencies = ["torch", "torchvision", "numpy", "scipy", "safetensors", "timm", "kornia", "cv2", "roma"]


def vode_small(device: str = "auto") -> Any:
    """The shipped model: metric depth and optical flow, 19 MB, ``predict_depth`` and ``predict_flow``."""
    return from_folder("vode-small", device)


def from_folder(folder: str, device: str = "auto") -> Any:
    """The model in the folder of a run, or one that ``Model.save_pretrained`` left."""
    import vode

    return vode.load(folder, device=device)
