"""Weights for models whose published ones cannot be had: the same numbers everywhere.

They come from numpy's legacy generator, whose stream is frozen (NEP 19), so that the digest of
a model does not depend on the torch, the CPU or the thread count that made it.
"""

from __future__ import annotations

import math
import zlib
from collections.abc import Callable

import numpy as np
import torch
from torch import nn


def _drawn(name: str, shape: torch.Size, std: float) -> torch.Tensor:
    generator = np.random.RandomState(zlib.crc32(name.encode()))
    return torch.from_numpy(generator.standard_normal(tuple(shape)).astype(np.float32) * np.float32(std))


def seed_parameters(module: nn.Module) -> None:
    """Variance-preserving weights (He et al. 2015, fan-in), zero biases; vectors are normalisations' gains: ones."""
    with torch.no_grad():
        for path, layer in module.named_modules():
            for name, parameter in layer.named_parameters(recurse=False):
                if name == "bias":
                    parameter.zero_()
                elif parameter.dim() < 2:
                    parameter.fill_(1.0)
                else:
                    fan_in = math.prod(parameter.shape[1:])
                    gain = 2.0 if isinstance(layer, nn.Conv2d) else 1.0
                    parameter.copy_(_drawn(f"{path}.{name}", parameter.shape, math.sqrt(gain / fan_in)))


def set_batch_norm_statistics(module: nn.Module, run: Callable[[], object]) -> None:
    """Give every batch-norm layer the mean and variance that it sees while ``run`` calls the module in float64.

    Without them the activations of a seeded ResNet grow layer by layer and no precision looks
    right. Worked out in float64 and rounded to float16, so that the last bits, which depend on
    the kernels, do not reach the digest.
    """
    layers = [layer for layer in module.modules() if isinstance(layer, nn.BatchNorm2d)]
    if not layers:
        return
    module.double().train()
    for layer in layers:
        layer.reset_running_stats()
        layer.momentum = 1.0
    with torch.no_grad():
        run()
    module.float().eval()
    for layer in layers:
        for statistic in (layer.running_mean, layer.running_var):
            assert statistic is not None
            statistic.copy_(statistic.half().float())
        layer.momentum = 0.1
        assert layer.num_batches_tracked is not None
        layer.num_batches_tracked.zero_()
