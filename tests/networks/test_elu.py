"""ELU against torch's own, and its gradient."""

import pytest
import torch
import torch.nn.functional as F

from vode.networks.elu import elu


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float16])
def test_elu_is_torchs_own(dtype: torch.dtype) -> None:
    x = torch.cat([torch.linspace(-200, 200, 4001), torch.tensor([0.0, -0.0, 1e-30, -1e-30, 3e4, -3e4])]).to(dtype)
    precision = torch.finfo(dtype).eps
    torch.testing.assert_close(elu(x), F.elu(x), rtol=0, atol=precision)


def test_elu_keeps_infinity_and_what_is_not_a_number() -> None:
    found = elu(torch.tensor([float("inf"), float("-inf"), float("nan")]))
    assert found[0] == float("inf")
    assert found[1] == -1
    assert found[2].isnan()


def test_gradient_of_elu_is_torchs_own() -> None:
    x, weight = torch.randn(3, 8, 5, 7), torch.randn(3, 8, 5, 7)
    x[0, 0, 0] = torch.tensor([0.0, 30.0, -30.0, -100.0, 1e-8, -1e-8, 5.0])
    ours, own = (x.clone().requires_grad_() for _ in range(2))
    (elu(ours) * weight).sum().backward()
    (F.elu(own) * weight).sum().backward()
    assert ours.grad is not None
    assert own.grad is not None
    torch.testing.assert_close(ours.grad, own.grad, rtol=1e-6, atol=1e-8)
    # no number is so low that nothing is learned of it
    assert (ours.grad[0, 0, 0] / weight[0, 0, 0] > 0).all()


def test_elu_is_differentiated_once_more() -> None:
    x = torch.tensor([-1.5, -0.3, 0.4, 2.0], requires_grad=True)
    (first,) = torch.autograd.grad(elu(x).sum(), x, create_graph=True)
    (second,) = torch.autograd.grad(first.sum(), x)
    torch.testing.assert_close(second, torch.where(x < 0, x.exp(), torch.zeros_like(x)), rtol=1e-5, atol=1e-6)
