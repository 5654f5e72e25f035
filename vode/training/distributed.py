"""Distributed training on one or several machines, started by torchrun; or a single process.

Every process loads its own part of each batch and takes the same steps; only the first one writes.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from datetime import timedelta
from functools import cache
from typing import Any, NamedTuple, TypeVar, cast

import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel

from vode.devices import device_name
from vode.errors import InputError

PATIENCE = timedelta(hours=2)
"""how long processes wait for each other, for example while the first one scores and saves"""

WORK = timedelta(days=7)
"""the same, where each has work of its own"""

T = TypeVar("T")


class Group(NamedTuple):
    """This process in the group of training processes."""

    rank: int
    size: int
    device: torch.device

    @property
    def writes(self) -> bool:
        """Whether this process logs and saves."""
        return self.rank == 0


def join(asked: str) -> Group:
    """Join the group that torchrun started, with one GPU per process; without torchrun, a group of one.

    ``asked`` is a device, or "auto". InputError if there are fewer GPUs than processes.
    """
    size = int(os.environ.get("WORLD_SIZE", "1"))
    if size == 1:
        return Group(0, 1, torch.device(device_name(asked)))
    name = device_name(asked) if asked == "auto" else asked
    if name == "cuda":
        local = int(os.environ.get("LOCAL_RANK", "0"))
        if local >= torch.cuda.device_count():
            raise InputError(f"{torch.cuda.device_count()} GPUs for process {local} of this machine; start fewer")
        name = f"cuda:{local}"
        torch.cuda.set_device(local)
    if not dist.is_initialized():
        dist.init_process_group("nccl" if name.startswith("cuda") else "gloo", timeout=PATIENCE)
    return Group(dist.get_rank(), dist.get_world_size(), torch.device(name))


def is_first() -> bool:
    """Whether this process is the one that writes, of a group that has been joined or alone."""
    return not dist.is_initialized() or dist.get_rank() == 0


def leave() -> None:
    """Leave the process group, if there is one."""
    if dist.is_initialized():
        dist.destroy_process_group()
        # it belonged to the group that has ended
        _cpu_group.cache_clear()


@contextmanager
def joined(asked: str) -> Iterator[Group]:
    """The group for the length of a run, which one that was there before outlives."""
    before = dist.is_initialized()
    try:
        yield join(asked)
    finally:
        if not before:
            leave()


def mean(value: Tensor) -> Tensor:
    """Mean of a value over all processes, without gradient."""
    if not dist.is_initialized():
        return value
    value = value.detach().clone()
    dist.all_reduce(value)
    return value / dist.get_world_size()


def any_of(flag: bool) -> bool:
    """Whether a flag is set in any process; communicated by the CPUs, so that no device is waited for."""
    if not dist.is_initialized():
        return flag
    total = torch.tensor(float(flag))
    dist.all_reduce(total, group=_cpu_group())
    return bool(total > 0)


@cache
def _cpu_group() -> dist.ProcessGroup:
    # Every process is a member, so that this is never NON_GROUP_MEMBER.
    return cast(dist.ProcessGroup, dist.new_group(backend="gloo"))


def broadcast(value: Any) -> Any:
    """The value of the first process, in all processes."""
    if not dist.is_initialized():
        return value
    held = [value]
    dist.broadcast_object_list(held, src=0)
    return held[0]


def gather(value: T) -> list[T]:
    """The values of all processes, in all of them; waits for the slowest for as long as it takes."""
    if not dist.is_initialized():
        return [value]
    found: list[Any] = [None] * dist.get_world_size()
    group = cast(dist.ProcessGroup, dist.new_group(backend="gloo", timeout=WORK))
    dist.all_gather_object(found, value, group=group)
    dist.destroy_process_group(group)
    return found


def is_alone() -> bool:
    """Whether no other process is in the group, or there is none."""
    return not dist.is_initialized() or dist.get_world_size() == 1


def own(sizes: Sequence[int]) -> list[int]:
    """The indices of this process's part of pieces of work, all of them where it is alone."""
    alone = not dist.is_initialized()
    return balanced(sizes, 1 if alone else dist.get_world_size())[0 if alone else dist.get_rank()]


def balanced(sizes: Sequence[int], count: int) -> list[list[int]]:
    """Pieces of work of these sizes divided among ``count`` processes: the indices of each, in order.

    The largest first, each to the process that has least (Graham, 1969): the longest part is at most a third longer
    than need be.
    """
    parts: list[list[int]] = [[] for _ in range(count)]
    loads = [0] * count
    for index in sorted(range(len(sizes)), key=lambda i: -sizes[i]):
        least = loads.index(min(loads))
        parts[least].append(index)
        loads[least] += sizes[index]
    return [sorted(part) for part in parts]


def wrap_ddp(task: nn.Module, group: Group) -> nn.Module:
    """A task whose gradients are averaged over all processes."""
    if group.size == 1:
        return task
    devices = [group.device] if group.device.type == "cuda" else None
    return DistributedDataParallel(task, device_ids=devices, broadcast_buffers=False)


def no_sync(task: nn.Module) -> AbstractContextManager:
    """A context in which backward passes accumulate gradients without communication."""
    return task.no_sync() if isinstance(task, DistributedDataParallel) else nullcontext()


def share_statistics(network: nn.Module, group: Group) -> nn.Module:
    """The network with batch statistics over the images of all processes, as if they were one batch."""
    if group.size == 1:
        return network
    if group.device.type == "cuda":
        return nn.SyncBatchNorm.convert_sync_batchnorm(network)
    for parent in list(network.modules()):
        for name, child in parent.named_children():
            if type(child) is nn.BatchNorm2d:
                setattr(parent, name, SharedBatchNorm.like(child))
    return network


class _SumOverProcesses(torch.autograd.Function):
    """Sum of a tensor over all processes; its gradient is the sum of theirs."""

    @staticmethod
    def forward(ctx: Any, value: Tensor) -> Tensor:
        return _summed(value)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> Tensor:
        return _summed(gradient)


def _summed(value: Tensor) -> Tensor:
    total = value.clone(memory_format=torch.contiguous_format)
    dist.all_reduce(total)
    return total


class SharedBatchNorm(nn.BatchNorm2d):
    """Batch normalisation over all processes on the CPU, where torch's SyncBatchNorm does not run."""

    momentum: float
    num_batches_tracked: Tensor
    running_mean: Tensor
    running_var: Tensor

    @classmethod
    def like(cls, other: nn.BatchNorm2d) -> SharedBatchNorm:
        """A copy of another layer with its options, weights and statistics."""
        made = cls(other.num_features, other.eps, other.momentum, other.affine, other.track_running_stats)
        made.load_state_dict(other.state_dict())
        return made.to(next(other.buffers()).device)

    def forward(self, x: Tensor) -> Tensor:
        """Normalise (B, C, H, W), in training by the statistics of all processes' batches."""
        if not self.training or not dist.is_initialized():
            return super().forward(x)
        count = x.numel() / x.shape[1] * dist.get_world_size()
        mean = _SumOverProcesses.apply(x.float().sum((0, 2, 3))) / count
        centred = x.float() - mean[:, None, None]
        variance = _SumOverProcesses.apply(centred.square().sum((0, 2, 3))) / count
        with torch.no_grad():
            self.num_batches_tracked += 1
            self.running_mean.lerp_(mean, self.momentum)
            self.running_var.lerp_(variance * count / (count - 1), self.momentum)
        scale = self.weight * (variance + self.eps).rsqrt()
        return (centred * scale[:, None, None] + self.bias[:, None, None]).to(x.dtype)
