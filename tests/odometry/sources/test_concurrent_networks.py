"""Networks in 16 bits beside each other: what they see, when they see it, and the threads that they leave alone."""

from itertools import pairwise

import pytest
import torch

from vode.errors import InputError
from vode.geometry.resize import resize_images
from vode.networks.depth import DepthNet
from vode.networks.flow import FlowNet
from vode.networks.options import DepthOptions
from vode.odometry.frames import Frame
from vode.odometry.options import TrackerOptions
from vode.odometry.perception import Networks, Refined, network_perception, with_depth
from vode.odometry.sources.concurrent_networks import ConcurrentNetworks
from vode.odometry.visual_odometry import VisualOdometry

SIZE = (64, 128)


@pytest.fixture
def two_cores():
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="module")
def networks():
    torch.manual_seed(0)
    return FlowNet().eval(), DepthNet(DepthOptions(decoder=(8, 8, 16, 16, 16))).eval()


@pytest.fixture
def frames():
    torch.manual_seed(1)
    rough = [torch.rand(1, 3, 16, 32) for _ in range(3)]
    return [Frame(i, resize_images(image, SIZE)) for i, image in enumerate(rough)]


def counted(seen, name, monkeypatch):
    """The arguments of every call of a method."""
    calls, method = [], getattr(seen, name)
    monkeypatch.setattr(seen, name, lambda *given: calls.append(given) or method(*given))
    return calls


@pytest.mark.parametrize("cores", [1, 2])
@torch.no_grad()
def test_they_see_what_networks_see_whatever_is_asked_first(networks, frames, cores, two_cores):
    torch.set_num_threads(cores)
    seen, exact = ConcurrentNetworks(*networks), Networks(*networks)
    for a, b in pairwise(frames):
        features = [networks[0].features(frame.image) for frame in (b, a)]
        wanted_flows = exact.flow(a, b)[0], networks[0].towards(*features, SIZE, finest=3)
        for found, wanted in zip(seen.flow(a, b), wanted_flows, strict=True):
            assert found.shape == wanted.shape
            assert (found - wanted).abs().mean() < 0.1 * wanted.abs().mean() + 0.02
        for frame in (b, a):
            torch.testing.assert_close(seen.depth(frame).log(), exact.depth(frame).log(), rtol=0, atol=0.1)


@torch.no_grad()
def test_depth_is_begun_beside_flow_once_it_is_wanted_and_computed_once(networks, frames, two_cores, monkeypatch):
    seen = ConcurrentNetworks(*networks)
    calls = counted(seen, "_depth_of", monkeypatch)
    seen.flow(*frames[:2])
    assert calls == []
    alone = seen.depth(frames[1])
    seen.flow(*frames[1:])
    begun = seen.depth(frames[2])
    assert [frame.index for (frame,) in calls] == [1, 2]
    again = seen.depth(frames[2])
    torch.testing.assert_close(begun.log(), again.log(), rtol=0, atol=0.02)
    assert not torch.equal(alone, begun)


@torch.no_grad()
def test_features_are_computed_once_a_frame_and_two_are_kept(networks, frames, two_cores, monkeypatch):
    seen = ConcurrentNetworks(*networks)
    calls = counted(seen._flow, "features", monkeypatch)
    for a, b in pairwise(frames):
        seen.flow(a, b)
    assert len(calls) == len(frames)
    assert [image is frame.image for (image, _), frame in zip(seen._features, frames[1:], strict=True)] == [True, True]


@pytest.mark.parametrize("wrapped", [lambda seen: seen, Refined, lambda seen: with_depth(seen, seen)])
def test_cores_are_shared_while_a_frame_is_worked_on_and_given_back(networks, frames, two_cores, monkeypatch, wrapped):
    seen, counts = ConcurrentNetworks(*networks), []
    flow = seen.flow
    monkeypatch.setattr(seen, "flow", lambda *pair: counts.append(torch.get_num_threads()) or flow(*pair))
    odometry = VisualOdometry(wrapped(seen), torch.tensor([[90.0, 0, 63.5], [0, 90.0, 31.5], [0, 0, 1]]))
    assert torch.get_num_threads() == 2
    for frame in frames:
        odometry.register_frame(frame.image[0])
        assert torch.get_num_threads() == 2
    with pytest.raises(InputError):
        odometry.register_frame(torch.zeros(3, 8, 8))
    assert torch.get_num_threads() == 2
    assert counts == [1, 1]


@pytest.mark.parametrize(("native", "kind"), [(True, ConcurrentNetworks), (False, Networks)])
def test_automatic_precision_follows_the_processor(networks, monkeypatch, native, kind):
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: {"avx512_bf16": native}, raising=False)
    for precision, expected in (("auto", kind), ("float32", Networks), ("bfloat16", ConcurrentNetworks)):
        options = TrackerOptions(precision=precision)
        assert type(network_perception(*networks, options, lambda size: size)) is expected
