"""Depth errors against hand-computed cases and a referee in plain loops."""

import math

import numpy as np
import pytest
import torch

from vode.errors import InputError
from vode.evaluation.depth import (
    CROPS,
    MEASURES,
    DepthProtocol,
    crop_mask,
    depth_scores,
    evaluate_depth,
    resize_prediction,
)


def referee(pairs, *, cap, low=1e-3, crop=None, scaling="median"):
    """Eigen's measures, pixel by pixel."""
    images = []
    for predicted, true in pairs:
        height, width = true.shape
        top, bottom, left, right = CROPS[crop] if crop else (0, 1, 0, 1)
        kept = []
        for y in range(int(top * height), int(bottom * height)):
            for x in range(int(left * width), int(right * width)):
                if low < true[y, x] < cap:
                    kept.append((float(predicted[y, x]), float(true[y, x])))
        images.append(kept)
    ratios = [np.median([t for _, t in kept]) / np.median([p for p, _ in kept]) for kept in images]
    if scaling == "global":
        factors = [np.median(ratios)] * len(images)
    else:
        factors = ratios if scaling == "median" else [1.0] * len(images)
    rows = []
    for kept, factor in zip(images, factors, strict=True):
        sums = np.zeros(8)
        for p, t in kept:
            p = min(max(p * factor, low), cap)
            ratio = max(p / t, t / p)
            sums += [
                abs(p - t) / t,
                (p - t) ** 2 / t,
                (p - t) ** 2,
                (math.log(p) - math.log(t)) ** 2,
                *(ratio < 1.25**power for power in (1, 2, 3)),
                abs(math.log10(p / t)),
            ]
        mean = sums / len(kept)
        mean[2:4] = np.sqrt(mean[2:4])
        rows.append(mean)
    return np.mean(rows, axis=0), np.median(ratios), np.std(ratios) / np.median(ratios)


def scene(count=3, height=18, width=25, seed=0):
    generator = np.random.default_rng(seed)
    ground_truth = generator.uniform(-20, 100, (count, height, width)).clip(0)
    prediction = generator.uniform(0.2, 90, (count, height, width))
    return prediction.astype(np.float32), ground_truth.astype(np.float32)


@pytest.mark.parametrize("scaling", ["median", "none", "global"])
@pytest.mark.parametrize("crop", [None, "garg", "eigen"])
def test_against_a_referee(scaling: str, crop: str | None) -> None:
    prediction, ground_truth = scene()
    result = evaluate_depth(prediction, ground_truth, DepthProtocol(cap=50, crop=crop, scaling=scaling))
    expected, ratio, spread = referee(zip(prediction, ground_truth, strict=True), cap=50, crop=crop, scaling=scaling)
    assert [result[key] for key in MEASURES] == pytest.approx(expected, rel=1e-6)
    assert result["ratio_median"] == pytest.approx(ratio, rel=1e-6)
    assert result["ratio_spread"] == pytest.approx(spread, rel=1e-6)
    assert result["images"] == 3


def test_by_hand() -> None:
    ground_truth = np.array([[10.0, 20.0, 0.0, 40.0]])
    prediction = np.array([[11.0, 15.0, 7.0, 40.0]])
    result = evaluate_depth(prediction, ground_truth, DepthProtocol(scaling="none"))
    assert result["abs_rel"] == pytest.approx((0.1 + 0.25 + 0) / 3)
    assert result["sq_rel"] == pytest.approx((0.1 + 1.25) / 3)
    assert result["rmse"] == pytest.approx(math.sqrt(26 / 3))
    assert result["rmse_log"] == pytest.approx(math.sqrt((math.log(1.1) ** 2 + math.log(0.75) ** 2) / 3))
    # 20 / 15 = 1.333 fails 1.25 but passes 1.5625.
    assert (result["d1"], result["d2"], result["d3"]) == pytest.approx((2 / 3, 1, 1))


def test_images_count_equally_whatever_their_valid_pixels() -> None:
    ground_truth = np.array([[[10.0, 0, 0, 0]], [[10.0, 10, 10, 10]]])
    prediction = np.array([[[20.0, 1, 1, 1]], [[10.0, 10, 10, 10]]])
    assert evaluate_depth(prediction, ground_truth, DepthProtocol(scaling="none"))["abs_rel"] == pytest.approx(0.5)


def test_a_scaled_copy_is_perfect_under_median_scaling_alone() -> None:
    _, ground_truth = scene()
    prediction = ground_truth * np.array([3.0, 3.0, 6.0], dtype=np.float32)[:, None, None] + (ground_truth == 0)
    scaled = evaluate_depth(prediction, ground_truth)
    assert [scaled[key] for key in MEASURES] == pytest.approx([0, 0, 0, 0, 1, 1, 1, 0], abs=1e-5)
    assert scaled["ratio_median"] == pytest.approx(1 / 3)
    assert scaled["ratio_spread"] == pytest.approx(np.std([1, 1, 0.5]))
    assert evaluate_depth(prediction, ground_truth, DepthProtocol(scaling="none"))["abs_rel"] > 0.5
    # One scale for all is right for two of the three images.
    mixed = evaluate_depth(prediction, ground_truth, DepthProtocol(scaling="global", cap=1000))
    assert mixed["abs_rel"] == pytest.approx(1 / 3, rel=1e-5)


def test_tensors_arrays_lists_and_generators_agree() -> None:
    prediction, ground_truth = scene()
    expected = evaluate_depth(prediction, ground_truth).to_dict()
    tensors = torch.from_numpy(prediction)[:, None], torch.from_numpy(ground_truth)[:, None]
    assert evaluate_depth(*tensors).to_dict() == expected
    assert evaluate_depth(list(tensors[0]), list(ground_truth)).to_dict() == expected
    assert evaluate_depth((p for p in prediction), (t for t in ground_truth), names="abc").to_dict() == expected


def test_each_image_may_have_its_own_size() -> None:
    ground_truth = [torch.full((1, 8, 12), 5.0), torch.full((1, 9, 13), 10.0)]
    prediction = [torch.full((1, 4, 6), 1.0), torch.full((1, 4, 6), 3.0)]
    assert evaluate_depth(prediction, ground_truth)["abs_rel"] == pytest.approx(0, abs=1e-6)


def test_the_inverse_depth_is_resized_between_pixel_areas() -> None:
    # Disparities 1 and 1/3; corners kept in place would give other ones, and resized depth 1, 1.5, 2.5, 3.
    ground_truth = 1 / np.array([[1, 3 / 4 + 1 / 12, 1 / 4 + 3 / 12, 1 / 3]])
    result = evaluate_depth(np.array([[1.0, 3.0]]), ground_truth, DepthProtocol(scaling="none"))
    assert result["abs_rel"] == pytest.approx(0, abs=1e-6)


def test_resizing_against_opencv() -> None:
    """Published code resizes disparity by cv2.resize; larger or not of the same shape."""
    cv2 = pytest.importorskip("cv2")
    disparity = np.random.default_rng(0).uniform(0.01, 10, (6, 20)).astype(np.float32)
    expected = 1 / cv2.resize(disparity, (62, 19))
    np.testing.assert_allclose(resize_prediction(1 / disparity, (19, 62)), expected, rtol=1e-4)


def test_depth_that_has_no_inverse_cannot_be_resized() -> None:
    with pytest.raises(InputError, match="left: the predicted depth is 0 or less somewhere"):
        evaluate_depth(np.array([[1.0, 0.0]]), np.ones((2, 4)), names=["left"])
    with pytest.raises(InputError, match=r"image 0: .*not finite"):
        evaluate_depth(np.array([[1.0, np.nan]]), np.ones((2, 4)))


def test_garg_crop_of_a_kitti_image() -> None:
    rows, columns = np.nonzero(crop_mask(375, 1242, "garg"))
    assert (rows.min(), rows.max() + 1, columns.min(), columns.max() + 1) == (153, 371, 44, 1197)


def test_nyu_crop() -> None:
    rows, columns = np.nonzero(crop_mask(480, 640, "nyu"))
    assert (rows.min(), rows.max() + 1, columns.min(), columns.max() + 1) == (45, 471, 41, 601)


def test_cap_and_smallest_depth_bound_truth_and_prediction() -> None:
    ground_truth = np.array([[10.0, 79.0, 80.0, 1e-4]])
    result = evaluate_depth(np.array([[10.0, 500.0, 1.0, 1.0]]), ground_truth, DepthProtocol(scaling="none"))
    assert result["abs_rel"] == pytest.approx((80 - 79) / 79 / 2)


def test_ground_truth_without_cap_and_clipped_predictions() -> None:
    """As monodepth2 scores annotated depth: every known pixel counts, predictions are clipped to 80 m."""
    protocol = DepthProtocol(cap=None, clip=(1e-3, 80.0), scaling="none")
    result = evaluate_depth(np.array([[200.0, 40.0, 1.0]]), np.array([[100.0, 40.0, 0.0]]), protocol)
    assert result["abs_rel"] == pytest.approx(0.2 / 2)
    assert result["rmse"] == pytest.approx(math.sqrt(20**2 / 2))
    # What is clipped is apart from what counts.
    capped = evaluate_depth(
        np.array([[200.0, 40.0]]), np.array([[100.0, 40.0]]), DepthProtocol(cap=50, clip=(1e-3, 20), scaling="none")
    )
    assert capped["abs_rel"] == pytest.approx(0.5)
    assert DepthProtocol(cap=50).clip_range == (1e-3, 50)
    with pytest.raises(InputError, match="cannot be clipped to 5 to 2 m"):
        DepthProtocol(clip=(5, 2))


def test_images_without_ground_truth_are_named_and_left_out() -> None:
    prediction, ground_truth = scene()
    both = evaluate_depth(prediction[[0, 2]], ground_truth[[0, 2]])
    ground_truth[1] = 0
    result = evaluate_depth(prediction, ground_truth, names=["first", "second", "third"])
    assert result["abs_rel"] == both["abs_rel"]
    assert (result["images"], result["images_without_ground_truth"]) == (2, 1)
    assert "second" in result.notes[0]
    ground_truth[1] = np.nan
    assert evaluate_depth(prediction, ground_truth)["images_without_ground_truth"] == 1


def test_input_that_cannot_be_scored() -> None:
    prediction, ground_truth = scene()
    with pytest.raises(InputError, match="none of 3 images"):
        evaluate_depth(prediction, np.zeros_like(ground_truth))
    with pytest.raises(InputError, match="as many predictions"):
        evaluate_depth(prediction[:2], ground_truth)
    with pytest.raises(InputError, match=r"image 1: .*median"):
        evaluate_depth(prediction * np.array([1, 0, 1])[:, None, None], ground_truth)
    prediction[2] = np.nan
    with pytest.raises(InputError, match=r"image 2: .*not finite"):
        evaluate_depth(prediction, ground_truth)
    with pytest.raises(InputError, match="no scaling is called 'mean'"):
        evaluate_depth(prediction, ground_truth, DepthProtocol(scaling="mean"))
    with pytest.raises(InputError, match="no crop is called 'centre'"):
        evaluate_depth(prediction, ground_truth, DepthProtocol(crop="centre"))
    with pytest.raises(ValueError, match="depth map"):
        evaluate_depth(np.ones((1, 3, 4, 5)), np.ones((1, 3, 4, 5)))


def test_protocol_is_stated() -> None:
    prediction, ground_truth = scene()
    protocol = evaluate_depth(prediction, ground_truth, DepthProtocol(crop="garg", cap=50)).protocol
    assert protocol["crop"] == "garg"
    assert protocol["cap"] == "ground truth 0.001 m to 50 m"
    assert protocol["clip"] == "predictions 0.001 m to 50 m"
    assert protocol["scaling"] == "each image by median(ground truth) / median(prediction)"
    assert protocol["resizing"].startswith("inverse depth")
    assert DepthProtocol(cap=None, clip=(1e-3, 80)).described()["cap"] == "ground truth above 0.001 m, no cap"


@pytest.mark.parametrize("scaling", ["median", "none", "global"])
def test_constant_prediction(scaling: str) -> None:
    prediction, ground_truth = scene()
    medians = [np.median(t[(t > 1e-3) & (t < 80)]) for t in ground_truth]
    constants = medians if scaling == "median" else [np.median(medians)] * 3
    pairs = [(np.full_like(t, c), t) for c, t in zip(constants, ground_truth, strict=True)]
    expected, _, _ = referee(pairs, cap=80, scaling="none")
    baseline = depth_scores(prediction, ground_truth, DepthProtocol(scaling=scaling)).constant.mean(axis=0)
    assert baseline == pytest.approx(expected, rel=1e-6)
    result = evaluate_depth(prediction, ground_truth, DepthProtocol(scaling=scaling))
    assert result["abs_rel_constant"] == pytest.approx(expected[0], rel=1e-6)


def test_real_lidar_against_annotated_depth(real_data) -> None:
    """Raw lidar and KITTI's cleaned depth of one image agree where both are known."""
    cv2 = pytest.importorskip("cv2")
    folder = real_data / "kitti_depth"
    clean, raw = (
        cv2.imread(str(folder / f"{kind}_image_02.png"), cv2.IMREAD_UNCHANGED).astype(np.float32) / 256
        for kind in ("groundtruth", "velodyne_raw")
    )
    ground_truth = np.where(raw > 0, clean, 0)
    result = evaluate_depth(np.maximum(raw, 0.1), ground_truth, DepthProtocol(crop="garg"))
    assert result["abs_rel"] < 0.05
    assert result["ratio_median"] == pytest.approx(1, abs=0.01)
    assert result["abs_rel_constant"] > 0.3
