"""Weights and inputs of one model: made once in the user's cache, then read by every worker.

A model's folder holds ``weights.safetensors``, ``weights.json`` and one ``<workload>.npz`` for
each workload with arrays ``measured_<i>`` and ``calibration_<i>`` of shape
(count, batch, ...), i counting the model's input tensors, and ``macs``, the multiply-accumulates
of one forward pass.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors.torch import load_file, save_file
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.overrides import TorchFunctionMode
from torch.utils.flop_counter import FlopCounterMode

from perfsuite.errors import AssetError
from perfsuite.models.base import Model, Reads, Sources
from perfsuite.models.images import CALIBRATION, MEASURED, image_batches
from perfsuite.models.seeded import seed_parameters, set_batch_norm_statistics
from perfsuite.models.text import sentences, token_batches
from perfsuite.partial import partial_of
from perfsuite.spec import Workload

#: Calibration samples in all: observers of a range settle within a few dozen (judgement, checked
#: by the planted calibration faults).
CALIBRATION_SAMPLES = 16
#: Photographs from which a seeded ResNet takes its batch-norm statistics.
BATCH_NORM_SAMPLES = 24

Batch = tuple[torch.Tensor, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Inputs:
    """Batches in the order of the model's forward arguments."""

    measured: tuple[Batch, ...]
    calibration: tuple[Batch, ...]


def make_weights(model: Model, sources: Sources, folder: Path, *, policy: str) -> None:
    """Write the weights; ``policy`` is auto (pretrained, else seeded), pretrained or seeded."""
    module = model.build(sources).eval()
    reason = "asked for"
    if policy != "seeded":
        try:
            weights = model.pretrained(sources)
            module.load_state_dict(weights.state)
            _write_weights(module, folder, {"kind": "pretrained", "origin": weights.origin})
            return
        except AssetError as error:
            if policy == "pretrained":
                raise
            reason = str(error)
    seed_parameters(module)
    model.adjust_seeded(module)
    if model.reads is Reads.IMAGES:
        images = image_batches(sources, CALIBRATION, batch=BATCH_NORM_SAMPLES, pixels=224, count=1)
        set_batch_norm_statistics(module, images[0])
    _write_weights(module, folder, {"kind": "seeded", "origin": f"seeded: {reason}"})


def make_inputs(model: Model, sources: Sources, folder: Path, workload: Workload) -> None:
    """Write the measured and the calibration batches of one workload."""
    shape = model.shape(workload)
    counts = {"measured": workload.inputs, "calibration": -(-CALIBRATION_SAMPLES // shape.batch)}
    arrays: dict[str, Any] = {}
    for role, count in counts.items():
        parts: tuple[Any, ...]
        if model.reads is Reads.IMAGES:
            names = MEASURED if role == "measured" else CALIBRATION
            assert shape.pixels is not None
            parts = (image_batches(sources, names, batch=shape.batch, pixels=shape.pixels, count=count),)
        else:
            texts = sentences()[0 if role == "measured" else 1]
            assert shape.tokens is not None
            parts = token_batches(sources, texts, batch=shape.batch, tokens=shape.tokens, count=count)
        arrays |= {f"{role}_{index}": part for index, part in enumerate(parts)}
    module = load_module(model, sources, folder)
    one = tuple(torch.from_numpy(arrays[name][0][:1]) for name in sorted(arrays) if name.startswith("measured"))
    arrays["macs"] = count_macs(module, one) * shape.batch
    partial = partial_of(folder / f"{workload.name}.npz")
    with partial.open("wb") as file:  # of a path, savez would change the name
        np.savez(file, **arrays)
    partial.rename(folder / f"{workload.name}.npz")


def read_inputs(folder: Path, workload: str) -> Inputs:
    """The batches that ``make_inputs`` wrote."""
    with np.load(folder / f"{workload}.npz") as stored:
        roles = {
            role: [stored[name] for name in sorted(stored.files) if name.startswith(role)]
            for role in ("measured", "calibration")
        }
    batches = {
        role: tuple(tuple(torch.from_numpy(part) for part in batch) for batch in zip(*parts, strict=True))
        for role, parts in roles.items()
    }
    return Inputs(measured=batches["measured"], calibration=batches["calibration"])


def read_macs(folder: Path, workload: str) -> int:
    """Multiply-accumulates of one forward pass, whatever later runs it."""
    with np.load(folder / f"{workload}.npz") as stored:
        return int(stored["macs"])


def count_macs(module: torch.nn.Module, inputs: Batch) -> int:
    """Multiply-accumulates of convolutions and matrix products in one call of ``module``.

    Attention is counted in its plain form: the counter knows no fused CPU kernel.
    """
    with sdpa_kernel(SDPBackend.MATH), FlopCounterMode(display=False) as counter:
        module(*inputs)
    return int(counter.get_total_flops()) // 2


def load_module(model: Model, sources: Sources, folder: Path) -> torch.nn.Module:
    """The model in eval mode with its stored weights."""
    with _Unseeded():
        module = model.build(sources).eval()
    module.load_state_dict(load_file(folder / "weights.safetensors"))
    return module.requires_grad_(False)


class _Unseeded(TorchFunctionMode):
    """Zeros in place of random numbers, which loading replaces: drawing BERT's takes 1.6 s."""

    def __torch_function__(
        self, func: Callable[..., Any], types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        if func in (torch.Tensor.normal_, torch.Tensor.uniform_):
            return args[0].zero_()
        return func(*args, **(kwargs or {}))


def digest_weights(module: torch.nn.Module) -> str:
    """sha256 over names, types, shapes and bytes of the state dict, in name order."""
    digest = hashlib.sha256()
    for name, tensor in sorted(module.state_dict().items()):
        digest.update(f"{name} {tensor.dtype} {tuple(tensor.shape)}\n".encode())
        digest.update(tensor.contiguous().numpy().data)
    return digest.hexdigest()


def digest_inputs(inputs: Inputs) -> str:
    """sha256 over the measured and the calibration batches."""
    digest = hashlib.sha256()
    for batch in (*inputs.measured, *inputs.calibration):
        for part in batch:
            digest.update(f"{part.dtype} {tuple(part.shape)}\n".encode())
            digest.update(part.contiguous().numpy().data)
    return digest.hexdigest()


def _write_weights(module: torch.nn.Module, folder: Path, origin: dict[str, str]) -> None:
    partial = partial_of(folder / "weights.safetensors")
    save_file({k: v.contiguous().clone() for k, v in module.state_dict().items()}, partial)
    partial.rename(folder / "weights.safetensors")
    # In one step too, for it says that the weights are there: cut short by a kill it would stay, and be read.
    partial = partial_of(folder / "weights.json")
    partial.write_text(json.dumps(origin | {"sha256": digest_weights(module)}))
    partial.rename(folder / "weights.json")
