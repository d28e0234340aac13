"""Weights and inputs of one model: made once in the user's cache, then read by every worker.

A model's folder holds ``weights.safetensors``, ``weights.json`` and one ``<workload>.safetensors`` for each workload:
of each batch the tensors, ``measured.<batch>.<tensor>`` and ``calibration...``, and beside them how they make a call,
which outputs count, the shape that each measured batch is of, and the multiply-accumulates of one pass.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.overrides import TorchFunctionMode
from torch.utils.flop_counter import FlopCounterMode

from perfsuite.errors import AssetError
from perfsuite.models.ask import Ask, Role, Sources
from perfsuite.models.base import Model, Reads
from perfsuite.models.seeded import seed_parameters, set_batch_norm_statistics
from perfsuite.partial import partial_of
from perfsuite.spec import WORKLOADS, Workload
from perfsuite.worker.calls import Batch, Call, Output, flatten, outputs_of

#: Calibration samples in all: observers of a range settle within a few dozen (judgement, checked
#: by the planted calibration faults).
CALIBRATION_SAMPLES = 16
#: Photographs from which a seeded ResNet takes its batch-norm statistics.
BATCH_NORM_SAMPLES = 24
#: Types that weights and inputs are kept in, but not computed with: the variant's precision says with what.
_HALVES = (torch.bfloat16, torch.float16)


@dataclass(frozen=True, slots=True, kw_only=True)
class Inputs:
    """Batches of tensors, and how they make the calls of the model; ``sites`` are the measured ones' shapes.

    ``macs`` are the multiply-accumulates of one pass over a batch of each shape, whatever later runs it.
    """

    measured: tuple[Batch, ...]
    calibration: tuple[Batch, ...]
    call: Call
    outputs: tuple[Output, ...]
    sites: tuple[int, ...]
    macs: int


def make_weights(model: Model, sources: Sources, folder: Path, *, policy: str) -> None:
    """Write the weights; ``policy`` is auto (the model's own, else seeded), pretrained or seeded."""
    module = model.build(sources).eval()
    reason = "asked for"
    if policy != "seeded":
        try:
            weights = model.weights(sources)
            if weights is None:
                raise AssetError(f"model {model.name} brings none")
            module.load_state_dict(weights.state)
            _write_weights(module, folder, {"kind": "pretrained", "origin": weights.origin}, weights.state)
            return
        except AssetError as error:
            if policy == "pretrained":
                raise
            reason = str(error)
    seed_parameters(module)
    model.adjust_seeded(module)
    if model.reads is Reads.IMAGES:
        shape = dataclasses.replace(model.shapes(WORKLOADS[0])[0], batch=BATCH_NORM_SAMPLES)
        (batch,) = model.inputs(Ask(role=Role.CALIBRATION, shape=shape, count=1), sources)
        call, tensors = flatten(batch)
        arguments, keywords = call.fill([part.double() if part.is_floating_point() else part for part in tensors])
        set_batch_norm_statistics(module, lambda: module(*arguments, **keywords))
    _write_weights(module, folder, {"kind": "seeded", "origin": f"seeded: {reason}"})


def make_inputs(model: Model, sources: Sources, folder: Path, workload: Workload) -> None:
    """Write the measured and the calibration batches of one workload."""
    shapes = model.shapes(workload)
    batches: dict[Role, list[Batch]] = {role: [] for role in Role}
    calls: set[str] = set()
    for shape in shapes:
        calibration = -(-CALIBRATION_SAMPLES // (shape.batch * len(shapes)))
        counts = {Role.MEASURED: workload.inputs, Role.CALIBRATION: calibration}
        for role, count in counts.items():
            made = model.inputs(Ask(role=role, shape=shape, count=count), sources)
            if len(made) != count:
                raise AssetError(f"model {model.name}: `inputs` made {len(made)} batches in the place of {count}")
            for batch in made:
                call, tensors = flatten(batch)
                calls.add(call.as_json())
                batches[role].append(tensors)
    if len(calls) > 1:
        raise AssetError(
            f"model {model.name}: its batches differ in more than their tensors: {' and '.join(sorted(calls)[:2])}"
        )
    call = Call.from_json(calls.pop())
    if model.mask and model.mask not in call.names:
        raise AssetError(f"model {model.name}: `mask` names {model.mask}; its inputs are {', '.join(call.names)}")
    module = load_module(model, sources, read_weights(folder))
    firsts = batches[Role.MEASURED][:: workload.inputs]
    counted = [_counted(module, call, batch, shape.batch) for batch, shape in zip(firsts, shapes, strict=True)]
    returned = counted[0][1]
    if not isinstance(returned, torch.Tensor):  # a list of one sample is another than that of a batch
        returned = _called(module, call, firsts[0])
    about = {
        "call": call.as_json(),
        "outputs": json.dumps([dataclasses.asdict(output) for output in outputs_of(model, returned)]),
        "sites": json.dumps([site for site in range(len(shapes)) for _ in range(workload.inputs)]),
        "macs": str(sum(macs for macs, _ in counted)),
    }
    tensors_by_name = {
        f"{role}.{number:06}.{index:06}": part.contiguous().clone()
        for role, made in batches.items()
        for number, batch in enumerate(made)
        for index, part in enumerate(batch)
    }
    partial = partial_of(inputs_file(folder, workload.name))
    save_file(tensors_by_name, partial, metadata=about)
    partial.rename(inputs_file(folder, workload.name))


def inputs_file(folder: Path, workload: str) -> Path:
    """Where ``make_inputs`` writes."""
    return folder / f"{workload}.safetensors"


def read_inputs(folder: Path, workload: str) -> Inputs:
    """What ``make_inputs`` wrote."""
    with safe_open(inputs_file(folder, workload), framework="pt") as stored:
        about = stored.metadata()
        batches: dict[str, dict[str, list[torch.Tensor]]] = {role: {} for role in Role}
        for name in sorted(stored.keys()):
            role, number, _ = name.split(".")
            batches[role].setdefault(number, []).append(stored.get_tensor(name))
    measured, calibration = (tuple(map(tuple, batches[role].values())) for role in Role)
    return Inputs(
        measured=measured,
        calibration=calibration,
        call=Call.from_json(about["call"]),
        outputs=tuple(map(Output.from_dict, json.loads(about["outputs"]))),
        sites=tuple(json.loads(about["sites"])),
        macs=int(about["macs"]),
    )


def widened(batch: Batch) -> Batch:
    """The batch with single in the place of half precision."""
    return tuple(part.float() if part.dtype in _HALVES else part for part in batch)


def _counted(module: torch.nn.Module, call: Call, batch: Batch, size: int) -> tuple[int, object]:
    """Multiply-accumulates of convolutions and matrix products in one call of ``module``, and what it returned.

    Where all tensors have a row for each sample, of one sample, times the samples. Attention is counted in its plain
    form: the counter knows no fused CPU kernel.
    """
    by_sample = all(part.dim() and len(part) == size for part in batch)
    with sdpa_kernel(SDPBackend.MATH), FlopCounterMode(display=False) as counter:
        returned = _called(module, call, tuple(part[:1] for part in batch) if by_sample else batch)
    return int(counter.get_total_flops()) // 2 * (size if by_sample else 1), returned


def _called(module: torch.nn.Module, call: Call, batch: Batch) -> object:
    arguments, keywords = call.fill(widened(batch))
    return module(*arguments, **keywords)


def read_weights(folder: Path) -> dict[str, torch.Tensor]:
    """The state dict that ``make_weights`` wrote."""
    return load_file(folder / "weights.safetensors")


def load_module(model: Model, sources: Sources, state: Mapping[str, torch.Tensor]) -> torch.nn.Module:
    """The model in eval mode with these weights; what is in half precision is widened, bit for bit the same values."""
    with _Unseeded():
        module = model.build(sources).eval()
    for tensor in (*module.parameters(), *module.buffers()):
        if tensor.dtype in _HALVES:
            tensor.data = tensor.data.float()
    module.load_state_dict(state)
    return module.requires_grad_(False)


class _Unseeded(TorchFunctionMode):
    """Zeros in place of random numbers, which loading replaces: drawing BERT's takes 1.6 s."""

    def __torch_function__(
        self, func: Callable[..., Any], types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        if func in (torch.Tensor.normal_, torch.Tensor.uniform_):
            return args[0].zero_()
        return func(*args, **(kwargs or {}))


def digest_weights(state: Mapping[str, torch.Tensor]) -> str:
    """sha256 over names, types, shapes and bytes of a state dict, in name order."""
    digest = hashlib.sha256()
    for name, tensor in sorted(state.items()):
        digest.update(f"{name} {tensor.dtype} {tuple(tensor.shape)}\n".encode())
        digest.update(_bytes(tensor))
    return digest.hexdigest()


def digest_inputs(inputs: Inputs) -> str:
    """sha256 over the measured and the calibration batches, and over what of a call is no tensor."""
    digest = hashlib.sha256()
    for batch in (*inputs.measured, *inputs.calibration):
        for part in batch:
            digest.update(f"{part.dtype} {tuple(part.shape)}\n".encode())
            digest.update(_bytes(part))
    for value in inputs.call.plain_values():
        digest.update(f"{value!r}\n".encode())
    return digest.hexdigest()


def _bytes(tensor: torch.Tensor) -> memoryview:
    """Of any type, those that numpy does not know too."""
    return tensor.contiguous().reshape(-1).view(torch.uint8).numpy().data


def _write_weights(
    module: torch.nn.Module, folder: Path, about: dict[str, str], own: Mapping[str, torch.Tensor] | None = None
) -> None:
    """Write the module's state; what of its ``own`` weights is in half precision stays so."""
    state = dict(module.state_dict())
    state |= {name: tensor for name, tensor in (own or {}).items() if tensor.dtype in _HALVES}
    partial = partial_of(folder / "weights.safetensors")
    save_file({name: tensor.detach().contiguous().clone() for name, tensor in state.items()}, partial)
    partial.rename(folder / "weights.safetensors")
    # In one step too, for it says that the weights are there: cut short by a kill it would stay, and be read.
    partial = partial_of(folder / "weights.json")
    partial.write_text(json.dumps(about | {"sha256": digest_weights(state)}))
    partial.rename(folder / "weights.json")
