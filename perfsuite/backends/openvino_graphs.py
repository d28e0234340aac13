"""What OpenVINO has compiled, called as the module is, and what its profile says of the layers that run."""

from __future__ import annotations

import functools
import statistics
import sys
import time
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from perfsuite.spec import Precision

if TYPE_CHECKING:
    import torch

#: What its profile says of a layer that ran.
_EXECUTED = "EXECUTED"


@functools.cache
def library() -> Any:
    """The package; it reports nobody's usage, for which it would start a thread in every worker."""
    # Both packages do without it where it is not installed.
    sys.modules.setdefault("openvino_telemetry", None)  # type: ignore[arg-type]
    import openvino

    return openvino


@functools.cache
def core() -> Any:
    """One for all: it loads the CPU's plugin."""
    return library().Core()


class Compiled:
    """A model of OpenVINO's, compiled for this process's threads; answers a tensor, or a tuple of several."""

    def __init__(self, model: Any, precision: Precision) -> None:
        self._model = model
        self._precision = precision
        self._outputs = range(len(model.outputs))
        self._request = core().compile_model(model, "CPU", _settings(precision)).create_infer_request()

    def __call__(self, *inputs: torch.Tensor) -> Any:
        import torch

        answer = self._request.infer([part.numpy() for part in inputs], share_inputs=True)
        outputs = tuple(torch.from_numpy(answer[index]) for index in self._outputs)
        return outputs[0] if len(outputs) == 1 else outputs

    def layers(self, inputs: tuple[torch.Tensor, ...], *, passes: int) -> dict[str, Any]:
        """The profile of the same model, compiled once more with its counters on."""
        compiled = core().compile_model(self._model, "CPU", _settings(self._precision, counting=True))
        request = compiled.create_infer_request()
        arrays = [part.numpy() for part in inputs]
        return _profile(lambda: request.infer(arrays, share_inputs=True), lambda: [(compiled, request)], passes)


class Traced:
    """A module that TorchDynamo traces and OpenVINO compiles."""

    def __init__(self, module: torch.nn.Module, precision: Precision) -> None:
        self._module = module
        self._precision = precision
        self._forward = self._compile(counting=False)

    def __call__(self, *inputs: torch.Tensor) -> Any:
        import torch
        from torch.utils._pytree import tree_map_only

        # The backend answers views of its request's memory, which the next call overwrites (share_outputs, execute.py):
        # what a caller of a module may keep is a copy.
        return tree_map_only(torch.Tensor, torch.clone, self._forward(*inputs))

    def layers(self, inputs: tuple[torch.Tensor, ...], *, passes: int) -> dict[str, Any]:
        """The profile of the same module, compiled anew with the counters on; no layers where PyTorch took over."""
        import torch
        from openvino.frontend.pytorch.torchdynamo import execute

        torch._dynamo.reset()
        execute.clear_caches()
        execute.req_cache.clear()  # clear_caches forgets it
        forward = self._compile(counting=True)
        return _profile(
            lambda: forward(*inputs),
            lambda: [(compiled, execute.req_cache[key]) for key, compiled in execute.compiled_cache.items()],
            passes,
        )

    def _compile(self, *, counting: bool) -> Any:
        library()
        import openvino.torch  # noqa: F401  registers the compile backend
        import torch

        # Without aot_autograd its tracing fails under torch 2.8 and 2.14, and PyTorch runs the whole graph, in silence.
        config = _settings(self._precision, counting=counting)
        options: dict[str, Any] = {"device": "CPU", "aot_autograd": True, "config": config}
        return torch.compile(self._module, backend="openvino", options=options)


def _settings(precision: Precision, *, counting: bool = False) -> dict[str, Any]:
    import torch

    hint = {Precision.BF16: "bf16", Precision.FP16: "f16", Precision.INT8_WEIGHT_ONLY: "bf16"}.get(precision, "f32")
    settings = {
        # By itself it computes FP32 models in BF16 where AMX is. What INT8 leaves float is FP32, as under ipex.
        "INFERENCE_PRECISION_HINT": hint,
        "PERFORMANCE_HINT": "LATENCY",
        "NUM_STREAMS": 1,
        "INFERENCE_NUM_THREADS": torch.get_num_threads(),
        # The worker's CPUs are chosen already.
        "ENABLE_CPU_PINNING": False,
        "PERF_COUNT": counting,
    }
    if precision is Precision.INT8_WEIGHT_ONLY:  # else activations are quantised too, where that is faster
        settings["DYNAMIC_QUANTIZATION_GROUP_SIZE"] = 0
    return settings


def _profile(step: Callable[[], object], graphs: Callable[[], list[tuple[Any, Any]]], passes: int) -> dict[str, Any]:
    """Run ``step``, then ask each compiled graph and its request; layers' times are means, a cold pass among them."""
    durations_s: list[float] = []
    for _ in range(1 + passes):
        start_s = time.perf_counter()
        step()
        durations_s.append(time.perf_counter() - start_s)
    found = graphs()
    return {
        "version": library().get_version().partition("-")[0],
        "capabilities": " ".join(sorted(core().get_property("CPU", "OPTIMIZATION_CAPABILITIES"))),
        "duration_s": statistics.median(durations_s[1:]),
        "layers": [layer for compiled, request in found for layer in _layers(compiled, request)],
    }


def _layers(compiled: Any, request: Any) -> list[dict[str, Any]]:
    group = int(compiled.get_property("DYNAMIC_QUANTIZATION_GROUP_SIZE"))
    nodes = {node.get_friendly_name(): node for node in compiled.get_runtime_model().get_ordered_ops()}
    return [
        {
            "kind": layer.node_type,
            "implementation": layer.exec_type,
            "inputs": _ports(nodes[layer.node_name].inputs() if layer.node_name in nodes else ()),
            "outputs": _ports(nodes[layer.node_name].outputs() if layer.node_name in nodes else ()),
            "members": _members(nodes.get(layer.node_name)),
            "quantisation_group": group,
            "time_s": layer.real_time.total_seconds(),
        }
        for layer in request.get_profiling_info()
        if layer.status.name == _EXECUTED
    ]


def _members(node: Any) -> int:
    """How many layers of the model were fused into it; 0 where that is not told."""
    names = node.get_rt_info()["originalLayersNames"].value if node is not None else ""
    return len(names.split(",")) if names else 0


def _ports(ports: Iterable[Any]) -> list[dict[str, Any]]:
    """Types and shapes; a dimension that changes from pass to pass is -1."""
    return [
        {
            "dtype": port.get_element_type().get_type_name(),
            "shape": [size.get_length() if size.is_static else -1 for size in port.get_partial_shape()],
        }
        for port in ports
    ]
