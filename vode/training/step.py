"""One optimiser step: learning rate, precision, accumulation, clipping, and the handling of non-finite gradients."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any, cast

import torch
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from vode.augmentation.photometric import to_float_and_augment
from vode.training import distributed
from vode.training.config import RunConfig, StageConfig
from vode.training.tasks.base import Task, total_loss

LOWEST = 0.02
"""final rate of the cosine relative to its peak (Loshchilov and Hutter, ICLR 2017, without restarts)"""


def learning_rate(options: StageConfig, step: int) -> float:
    """Learning rate of a step (0 = first) of a stage, by its schedule."""
    rate = options.learning_rate * min(1.0, (step + 1) / max(options.warm_up, 1))
    if options.decay == "cosine":
        return rate * (LOWEST + (1 - LOWEST) * (1 + math.cos(math.pi * step / options.steps)) / 2)
    if options.decay == "step":
        return rate * options.decay_factor ** (step // options.decay_every)
    return rate


class Stepper:
    """Takes the steps of one stage.

    A step whose gradient is not finite, in any process, changes neither weights nor statistics, and is counted.
    Nothing in a step waits for the device, as long as torch's fused Adam skips a step by its attribute ``found_inf``,
    which torch does not document; where it does not, every step waits for the gradient's norm instead.
    """

    def __init__(
        self,
        task: Task,
        config: RunConfig,
        options: StageConfig,
        group: distributed.Group,
        averages: Averages | None,
    ) -> None:
        self.config, self.options, self.group, self.averages = config, options, group, averages
        self.parameters = [p for network in task.trained() for p in network.parameters()]
        self._statistics = [b for network in task.trained() for b in network.buffers() if b.is_floating_point()]
        self._weights = task.weights
        self._model = distributed.wrap_ddp(task, group)
        kind = torch.optim.AdamW if options.decoupled else torch.optim.Adam
        self.optimiser = kind(_groups(task.trained(), options), lr=options.learning_rate, fused=True)
        # The flag by which GradScaler finds optimisers that read ``found_inf``.
        self._skips_on_device = bool(getattr(self.optimiser, "_step_supports_amp_scaling", False))
        self.scaler = torch.amp.GradScaler(group.device.type, enabled=config.precision == "float16")
        self.bad_in_a_row = torch.zeros((), device=group.device)
        self.bad = torch.zeros((), device=group.device)

    def __call__(self, batches: Iterator[dict[str, Tensor]], step: int) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
        """Take step ``step`` of the stage on the next batches: scalars, left on the device, and visualizations."""
        for one in self.optimiser.param_groups:
            one["lr"] = learning_rate(self.options, step) * one.get("rate", 1.0)
        self.optimiser.zero_grad(set_to_none=True)
        before = [buffer.clone() for buffer in self._statistics]
        parts = []
        for part in range(self.config.accumulate):
            last = part + 1 == self.config.accumulate
            if last:
                scalars, shown = self._backward(next(batches))
            else:
                with distributed.no_sync(self._model):
                    scalars, shown = self._backward(next(batches))
            parts.append(scalars)
        scalars = {name: torch.stack([part[name] for part in parts]).mean() for name in parts[0]}
        scalars["gradient_norm"] = self._update()
        bad = ~scalars["gradient_norm"].isfinite()
        for buffer, old in zip(self._statistics, before, strict=True):
            buffer.copy_(torch.where(bad, old, buffer))
        self.bad_in_a_row = torch.where(bad, self.bad_in_a_row + 1, 0.0)
        self.bad += bad
        if self.averages is not None:
            self.averages.update_parameters(self.averages.source)
        return scalars, shown

    def state_dict(self) -> dict[str, Any]:
        """The state of the optimiser and scaler, for a checkpoint."""
        return {"optimiser": self.optimiser.state_dict(), "scaler": self.scaler.state_dict()}

    def load_state_dict(self, state: dict[str, Any] | None) -> None:
        """Restore the state from a checkpoint; None at the beginning of a stage."""
        if state is not None:
            self.optimiser.load_state_dict(state["optimiser"])
            self.scaler.load_state_dict(state["scaler"])

    def _backward(self, batch: dict[str, Tensor]) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
        sample = to_float_and_augment(
            {key: value.to(self.group.device, non_blocking=True) for key, value in batch.items()}
        )
        losses, metrics, shown = self._model(sample)
        loss = total_loss(losses, self._weights)
        self.scaler.scale(loss / self.config.accumulate).backward()
        return {"loss": loss.detach(), **{name: value.detach() for name, value in (losses | metrics).items()}}, shown

    def _update(self) -> Tensor:
        """Update the weights; returns the gradient's norm before clipping, not finite if the step was skipped."""
        self.scaler.unscale_(self.optimiser)
        norm = nn.utils.clip_grad_norm_(self.parameters, self.config.clip or math.inf)
        if self.scaler.is_enabled():
            self.scaler.step(self.optimiser)
            self.scaler.update()
        elif self._skips_on_device:
            cast(Any, self.optimiser).found_inf = (~norm.isfinite()).float()
            self.optimiser.step()
        elif bool(norm.isfinite()):
            self.optimiser.step()
        return norm


def _groups(networks: list[nn.Module], options: StageConfig) -> list[dict[str, Any]]:
    """Parameter groups of networks: those of encoders with a ``rate`` of their own, if it is not that of the rest."""
    parameters = [p for network in networks for p in network.parameters()]
    if options.encoder_rate == 1.0:
        return _decayed(parameters, options)
    encoders = [module for network in networks for name, module in network.named_children() if name == "encoder"]
    slower = {id(p) for encoder in encoders for p in encoder.parameters()}
    rest = _decayed([p for p in parameters if id(p) not in slower], options)
    encoder = _decayed([p for p in parameters if id(p) in slower], options)
    return rest + [group | {"rate": options.encoder_rate} for group in encoder if group["params"]]


def _decayed(parameters: list[nn.Parameter], options: StageConfig) -> list[dict[str, Any]]:
    """The parameters, with weight decay in two groups: weight matrices alone have it."""
    decay = options.weight_decay
    if not decay and not options.decoupled:
        return [{"params": parameters}]
    weights, others = [p for p in parameters if p.ndim > 1], [p for p in parameters if p.ndim <= 1]
    # AdamW's own default is not 0
    return [{"params": weights, "weight_decay": decay}, {"params": others, "weight_decay": 0.0}]


class Averages(AveragedModel):
    """Exponential moving averages of networks' weights and statistics (Polyak and Juditsky, 1992)."""

    module: nn.ModuleDict
    source: nn.ModuleDict
    """the networks whose means they are"""

    def __init__(self, networks: nn.ModuleDict, decay: float) -> None:
        super().__init__(networks, multi_avg_fn=get_ema_multi_avg_fn(decay), use_buffers=True)
        self.__dict__["source"] = networks
