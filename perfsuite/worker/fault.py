"""What a fault to plant may break: every place is whole, until one breaks it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from perfsuite.spec import Precision

if TYPE_CHECKING:
    from perfsuite.backends.base import Forward
    from perfsuite.worker.assets import Inputs
    from perfsuite.worker.calls import Batch


class Fault:
    """No fault; each planted one overrides the place it breaks."""

    name = "none"

    @property
    def calibrates_alike(self) -> bool:
        """Whether calibrating finds the same with it: of what comes before that it breaks nothing."""
        before = ("on_stack", "on_module", "on_calibration", "on_precision")
        return all(getattr(type(self), place) is getattr(Fault, place) for place in before)

    def on_stack(self) -> None:
        pass

    def on_module(self, module: torch.nn.Module) -> torch.nn.Module:
        return module

    def on_inputs(self, inputs: Inputs) -> Inputs:
        return inputs

    def on_calibration(self, inputs: Inputs) -> tuple[Batch, ...]:
        return inputs.calibration

    def on_precision(self, precision: Precision) -> Precision:
        return precision

    def on_digest(self, weights_sha256: str) -> str:
        return weights_sha256

    def on_forward(self, forward: Forward) -> Forward:
        return forward


def weight_layers(module: torch.nn.Module) -> list[torch.nn.Conv2d | torch.nn.Linear]:
    """Those that multiply by weights of their own, in order."""
    return [layer for layer in module.modules() if isinstance(layer, torch.nn.Conv2d | torch.nn.Linear)]
