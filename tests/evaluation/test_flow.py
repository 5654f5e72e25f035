"""Flow errors against hand-computed cases."""

import numpy as np
import pytest
import torch

from vode.errors import InputError
from vode.evaluation.flow import evaluate_flow


def flow(*vectors) -> torch.Tensor:
    """One image of one row: (1, 2, 1, N)."""
    return torch.tensor(vectors, dtype=torch.float32).T[None, :, None]


TRUTH = flow((3, 4), (100, 0), (0, 0), (0, 10))
PREDICTION = flow((3, 4), (104, 0), (0, 3.5), (6, 2))


def test_by_hand() -> None:
    result = evaluate_flow(PREDICTION, TRUTH)
    assert result["flow_epe_px"] == pytest.approx((0 + 4 + 3.5 + 10) / 4)
    assert result["epe_zero_px"] == pytest.approx((5 + 100 + 0 + 10) / 4)
    # 4 px of 100 is below 5 %: not an outlier.
    assert result["fl_percent"] == pytest.approx(50)
    assert (result["pixels"], result["images"]) == (4, 1)


def test_both_limits_of_an_outlier_are_strict() -> None:
    result = evaluate_flow(flow((3, 0), (105, 0), (105.5, 0)), flow((0, 0), (100, 0), (100, 0)))
    assert result["fl_percent"] == pytest.approx(100 / 3)


def test_only_visible_pixels_count() -> None:
    visible = torch.tensor([1, 1, 0, 0.0]).view(1, 1, 1, 4)
    ground_truth = TRUTH.clone()
    ground_truth[..., 2:] = float("nan")
    result = evaluate_flow(PREDICTION, ground_truth, visible)
    assert (result["flow_epe_px"], result["fl_percent"]) == pytest.approx((2, 0))
    assert result["epe_zero_px"] == pytest.approx(52.5)


def test_parts_seen_and_hidden() -> None:
    visible = torch.tensor([1, 1, 1, 0.0]).view(1, 1, 1, 4)
    noc = torch.tensor([1, 0, 1, 1.0]).view(1, 1, 1, 4)
    result = evaluate_flow(PREDICTION, TRUTH, visible, noc=noc)
    assert result["flow_epe_px"] == pytest.approx(2.5)
    assert result["flow_noc_epe_px"] == pytest.approx(1.75)
    assert result["flow_hidden_epe_px"] == pytest.approx(4)
    assert result["fl_noc_percent"] == pytest.approx(50)
    assert result["epe_zero_hidden_px"] == pytest.approx(100)
    everything = evaluate_flow(PREDICTION, TRUTH, noc=torch.ones(1, 1, 1, 4))
    assert everything["flow_hidden_epe_px"] is None
    assert everything["pixels_hidden"] == 0


def test_means_by_pixel_and_by_image() -> None:
    small, large = torch.zeros(2, 1, 1), torch.zeros(2, 1, 3)
    result = evaluate_flow([small + 4, large], iter([small, large]))
    assert result["flow_epe_px"] == pytest.approx(4 * 2**0.5 / 4)
    assert result["fl_percent"] == pytest.approx(25)
    assert result["flow_epe_image_mean_px"] == pytest.approx(4 * 2**0.5 / 2)
    assert result["fl_image_mean_percent"] == pytest.approx(50)
    assert "by pixel" in result.protocol["averaging"]
    assert "image_mean" in result.protocol["averaging"]
    units = {number.name: number.unit for number in result.numbers}
    assert (units["flow_epe_image_mean_px"], units["fl_image_mean_percent"]) == ("px", "%")


def test_images_without_a_pixel_of_a_part_are_not_in_its_mean() -> None:
    noc = torch.tensor([[1, 1, 1, 1], [1, 1, 0, 0.0]]).view(2, 1, 1, 4)
    result = evaluate_flow(PREDICTION.repeat(2, 1, 1, 1), TRUTH.repeat(2, 1, 1, 1), noc=noc)
    assert result["flow_hidden_epe_image_mean_px"] == result["flow_hidden_epe_px"] == pytest.approx((3.5 + 10) / 2)
    assert result["flow_noc_epe_image_mean_px"] == pytest.approx(((0 + 4 + 3.5 + 10) / 4 + (0 + 4) / 2) / 2)
    assert result["flow_noc_epe_px"] == pytest.approx((0 + 4 + 3.5 + 10 + 0 + 4) / 6)


def test_numpy_and_torch_in_both_layouts_of_one_image_and_of_sets() -> None:
    generator = np.random.default_rng(0)
    prediction, ground_truth = generator.normal(0, 5, (2, 3, 6, 7, 2)).astype(np.float32)
    visible = generator.uniform(size=(3, 6, 7)) > 0.3
    expected = evaluate_flow(*(torch.from_numpy(x).movedim(-1, 1) for x in (prediction, ground_truth)), visible)
    first = np.moveaxis(prediction, -1, 1), np.moveaxis(ground_truth, -1, 1)
    for pair in (
        (prediction, ground_truth),
        first,
        (list(prediction), first[1]),
        (torch.from_numpy(prediction), first[1]),
    ):
        for mask in (visible, visible[:, None], list(torch.from_numpy(visible))):
            assert evaluate_flow(*pair, mask).to_dict() == expected.to_dict()
    one = evaluate_flow(first[0][0], ground_truth[0], visible[0])
    assert one["pixels"] == visible[0].sum()
    error = np.linalg.norm(prediction[0] - ground_truth[0], axis=-1)[visible[0]]
    assert one["flow_epe_px"] == pytest.approx(error.mean())
    # (2, 2, 2) is read as x and y first.
    square = np.stack([np.full((2, 2), 3.0), np.full((2, 2), 4.0)])
    assert evaluate_flow(square, np.zeros_like(square))["flow_epe_px"] == 5


def test_a_smaller_prediction_is_resized_with_its_values() -> None:
    prediction = torch.tensor([1.0, 1.0]).view(1, 2, 1, 1).expand(1, 2, 4, 5)
    ground_truth = torch.tensor([3.0, 2.0]).view(1, 2, 1, 1).expand(1, 2, 8, 15)
    assert evaluate_flow(prediction, ground_truth)["flow_epe_px"] == pytest.approx(0, abs=1e-6)


def test_images_without_ground_truth_are_named() -> None:
    visible = torch.zeros(2, 1, 1, 4)
    visible[0] = 1
    result = evaluate_flow(PREDICTION.repeat(2, 1, 1, 1), TRUTH.repeat(2, 1, 1, 1), visible, names=["a", "b"])
    assert (result["images"], result["images_without_ground_truth"]) == (1, 1)
    assert result.notes[0].endswith("b")


def test_input_that_cannot_be_scored() -> None:
    with pytest.raises(InputError, match="none of 1 images"):
        evaluate_flow(PREDICTION, TRUTH, torch.zeros(1, 1, 1, 4))
    with pytest.raises(InputError, match="as many predicted"):
        evaluate_flow(PREDICTION.repeat(2, 1, 1, 1), TRUTH)
    with pytest.raises(InputError, match=r"image 0: .*not finite"):
        evaluate_flow(PREDICTION / 0, TRUTH)
    with pytest.raises(ValueError, match="a mask is"):
        evaluate_flow(PREDICTION, TRUTH, torch.ones(4, 1))
    with pytest.raises(ValueError, match=r"\(2, H, W\)"):
        evaluate_flow(torch.zeros(1, 3, 4, 4), torch.zeros(1, 3, 4, 4))
