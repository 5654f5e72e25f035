"""Flow of a set of pairs: predicted, scored and drawn."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import tee
from pathlib import Path

from torch import Tensor

from vode.datasets.flow_pairs import FlowPairs
from vode.evaluation.flow import evaluate_flow
from vode.evaluation.result import Result
from vode.geometry.resize import SizeFor, image_size
from vode.io.image import write_image
from vode.networks.flow import FlowNet
from vode.prediction import predict_flow
from vode.visualization.colors import color_wheel
from vode.visualization.panels import flow_panel, save_panel

Source = Callable[[int], Tensor]
"""The predicted flow (2, H, W) of the pair of that number, in its own pixels."""


def from_network(flow: FlowNet, pairs: FlowPairs, size_for: SizeFor, *, refine: bool = False) -> Source:
    """Predictions made when asked for, each at ``size_for`` the size of the pair; ``refine`` as ``predict_flow``."""

    def predict(index: int) -> Tensor:
        image_a, image_b = pairs.images(index)
        return predict_flow(flow, image_a, image_b, size_for(image_size(image_a)), refine=refine)

    return predict


def score_pairs(source: Source, pairs: FlowPairs, chosen: Sequence[int]) -> Result:
    """The flow errors of the chosen pairs; pixels seen in both images apart, if the set tells them."""
    names, tells = pairs.names(), pairs.ground_truth(chosen[0]).seen is not None
    flows, valid, seen = tee((pairs.ground_truth(i) for i in chosen), 3)
    return evaluate_flow(
        (source(i) for i in chosen),
        (ground_truth.flow for ground_truth in flows),
        (ground_truth.valid for ground_truth in valid),
        noc=(ground_truth.seen for ground_truth in seen if ground_truth.seen is not None) if tells else None,
        names=[names[i] for i in chosen],
    )


def draw(folder: Path, source: Source, pairs: FlowPairs, chosen: Sequence[int], *, rows: int = 4) -> list[Path]:
    """NAME.png, image, prediction, ground truth and error of pairs at even distances, and the key to its colours."""
    files = [folder / f"{pairs.name}.png", folder / "wheel.png"]
    shown = dict.fromkeys(chosen[(2 * k + 1) * len(chosen) // (2 * rows)] for k in range(rows))
    save_panel(files[0], [_row(source(i), pairs, i) for i in shown], names=[pairs.names()[i] for i in shown])
    write_image(files[1], color_wheel(151))
    return files


def _row(prediction: Tensor, pairs: FlowPairs, i: int) -> list[tuple[str, Tensor]]:
    ground_truth = pairs.ground_truth(i)
    return flow_panel(pairs.images(i)[0], prediction, ground_truth.flow, ground_truth.valid)
