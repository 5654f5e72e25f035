"""Flow errors against hand-computed cases."""

import pytest
import torch

from vode.errors import InputError
from vode.evaluation.flow import flow_errors


def flow(*vectors) -> torch.Tensor:
    """One image of one row: (1, 2, 1, N)."""
    return torch.tensor(vectors, dtype=torch.float32).T[None, :, None]


TRUTH = flow((3, 4), (100, 0), (0, 0), (0, 10))
PREDICTION = flow((3, 4), (104, 0), (0, 3.5), (6, 2))


def test_by_hand() -> None:
    result = flow_errors(PREDICTION, TRUTH)
    assert result["flow_epe_px"] == pytest.approx((0 + 4 + 3.5 + 10) / 4)
    assert result["epe_zero_px"] == pytest.approx((5 + 100 + 0 + 10) / 4)
    # 4 px of 100 is below 5 %: not an outlier.
    assert result["fl_percent"] == pytest.approx(50)
    assert (result["pixels"], result["images"]) == (4, 1)


def test_both_limits_of_an_outlier_are_strict() -> None:
    result = flow_errors(flow((3, 0), (105, 0), (105.5, 0)), flow((0, 0), (100, 0), (100, 0)))
    assert result["fl_percent"] == pytest.approx(100 / 3)


def test_only_visible_pixels_count() -> None:
    visible = torch.tensor([1, 1, 0, 0.0]).view(1, 1, 1, 4)
    ground_truth = TRUTH.clone()
    ground_truth[..., 2:] = float("nan")
    result = flow_errors(PREDICTION, ground_truth, visible)
    assert (result["flow_epe_px"], result["fl_percent"]) == pytest.approx((2, 0))
    assert result["epe_zero_px"] == pytest.approx(52.5)


def test_parts_seen_and_hidden() -> None:
    visible = torch.tensor([1, 1, 1, 0.0]).view(1, 1, 1, 4)
    noc = torch.tensor([1, 0, 1, 1.0]).view(1, 1, 1, 4)
    result = flow_errors(PREDICTION, TRUTH, visible, noc=noc)
    assert result["flow_epe_px"] == pytest.approx(2.5)
    assert result["flow_noc_epe_px"] == pytest.approx(1.75)
    assert result["flow_hidden_epe_px"] == pytest.approx(4)
    assert result["fl_noc_percent"] == pytest.approx(50)
    assert result["epe_zero_hidden_px"] == pytest.approx(100)
    everything = flow_errors(PREDICTION, TRUTH, noc=torch.ones(1, 1, 1, 4))
    assert everything["flow_hidden_epe_px"] is None
    assert everything["pixels_hidden"] == 0


def test_every_pixel_of_the_set_counts_equally() -> None:
    small, large = torch.zeros(2, 1, 1), torch.zeros(2, 1, 3)
    result = flow_errors([small + 4, large], iter([small, large]))
    assert result["flow_epe_px"] == pytest.approx(4 * 2**0.5 / 4)
    assert result["fl_percent"] == pytest.approx(25)


def test_a_smaller_prediction_is_resized_with_its_values() -> None:
    prediction = torch.tensor([1.0, 1.0]).view(1, 2, 1, 1).expand(1, 2, 4, 5)
    ground_truth = torch.tensor([3.0, 2.0]).view(1, 2, 1, 1).expand(1, 2, 8, 15)
    assert flow_errors(prediction, ground_truth)["flow_epe_px"] == pytest.approx(0, abs=1e-6)


def test_images_without_ground_truth_are_named() -> None:
    visible = torch.zeros(2, 1, 1, 4)
    visible[0] = 1
    result = flow_errors(PREDICTION.repeat(2, 1, 1, 1), TRUTH.repeat(2, 1, 1, 1), visible, names=["a", "b"])
    assert (result["images"], result["images_without_ground_truth"]) == (1, 1)
    assert result.notes[0].endswith("b")


def test_input_that_cannot_be_scored() -> None:
    with pytest.raises(InputError, match="none of 1 images"):
        flow_errors(PREDICTION, TRUTH, torch.zeros(1, 1, 1, 4))
    with pytest.raises(InputError, match="as many predicted"):
        flow_errors(PREDICTION.repeat(2, 1, 1, 1), TRUTH)
    with pytest.raises(InputError, match=r"image 0: .*not finite"):
        flow_errors(PREDICTION / 0, TRUTH)
    with pytest.raises(ValueError, match=r"\(2, H, W\)"):
        flow_errors(torch.zeros(1, 3, 4, 4), torch.zeros(1, 3, 4, 4))
