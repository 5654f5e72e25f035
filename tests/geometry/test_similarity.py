"""Similarities: a group, its tangents, and the derivatives of both."""

import pytest
import torch
from torch.autograd.functional import jacobian

from vode.geometry import similarity

SHAPES = [(), (3,), (2, 3)]


def tangents(shape, size=0.7):
    return size * torch.randn(*shape, 7, dtype=torch.float64, generator=torch.Generator().manual_seed(len(shape)))


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("size", [0.0, 1e-9, 1e-3, 0.7])
def test_log_inverts_exp(shape, size):
    x = tangents(shape, size)
    torch.testing.assert_close(similarity.log(similarity.exp(x)), x, atol=1e-12, rtol=1e-9)


@pytest.mark.parametrize("shape", SHAPES)
def test_inverse_and_parts(shape):
    S = similarity.exp(tangents(shape))
    eye = torch.eye(4, dtype=torch.float64).expand_as(S)
    torch.testing.assert_close(S @ similarity.inverse(S), eye)
    size, pose = similarity.scale(S), similarity.rigid(S)
    assert size.shape == shape
    torch.testing.assert_close(similarity.scale(pose), torch.ones_like(size))
    torch.testing.assert_close(similarity.from_parts(size, pose[..., :3, :3], pose[..., :3, 3]), S)
    torch.testing.assert_close(size.log(), tangents(shape)[..., 6])


@pytest.mark.parametrize("shape", SHAPES)
def test_the_adjoint_moves_tangents_past_a_similarity(shape):
    S, x = similarity.exp(tangents(shape)), tangents(shape, 0.3)
    moved = similarity.exp((similarity.adjoint(S) @ x[..., None])[..., 0])
    torch.testing.assert_close(S @ similarity.exp(x) @ similarity.inverse(S), moved)


def test_the_jacobian_is_the_derivative_of_the_logarithm():
    x = tangents(())
    S, zero = similarity.exp(x), torch.zeros(7, dtype=torch.float64)
    numeric = jacobian(lambda step: similarity.log(S @ similarity.exp(step)), zero)
    torch.testing.assert_close(similarity.right_jacobian_inverse(x), numeric)
