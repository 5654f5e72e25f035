"""Depth and flow of frames of any size, by networks at theirs."""

import torch
from torch import nn

from vode.prediction import predict_depth, predict_flow


class Leaning(nn.Module):
    """A network that sees depth grow to the right, and everything move by a pixel of its own, whatever it is shown."""

    def __init__(self):
        super().__init__()
        self.unused = nn.Parameter(torch.zeros(1))

    def depth(self, images, focal=None):
        depth = torch.linspace(1, 3, images.shape[-1]) * (1.0 if focal is None else focal)
        return depth.expand(len(images), 1, *images.shape[-2:])

    def forward(self, a, b):
        flow = torch.ones(len(a), 2, *a.shape[-2:])
        return [flow], [-flow]


def test_flip_averages_the_inverse_depths():
    image = torch.rand(3, 8, 16)
    plain, both = (predict_depth(Leaning(), image, (8, 16), flip=flip) for flip in (False, True))
    assert torch.equal(plain[0, 0], torch.linspace(1, 3, 16))
    torch.testing.assert_close(both, 2 / (1 / plain + 1 / plain.flip(-1)))


def test_the_focal_length_is_that_at_the_size_of_the_network():
    depth = predict_depth(Leaning(), torch.rand(3, 32, 64), (8, 16), focal=100.0)
    torch.testing.assert_close(depth[0, 0], 25 * torch.linspace(1, 3, 16))


def test_flow_is_in_pixels_of_the_frames():
    flow = predict_flow(Leaning(), torch.rand(3, 16, 64), torch.rand(3, 16, 64), (8, 16))
    assert flow.shape == (2, 16, 64)
    torch.testing.assert_close(flow, torch.tensor([4.0, 2.0])[:, None, None].expand(2, 16, 64))
