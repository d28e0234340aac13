"""From a worker's answer and its captured output to evidence, and evidence to a file and back."""

from __future__ import annotations

import dataclasses
from typing import Any

import msgspec
import pytest
from builders import ANSWERS
from evidence_builders import evidence, graphs, kernel, operator_kernel
from hypothesis import given
from hypothesis import strategies as st
from test_mkl import HEADER, LIBRARY, SGEMM

from perfsuite.errors import EvidenceError, WorkerError
from perfsuite.evidence.build import build_evidence
from perfsuite.records.evidence import (
    PASS_MARK,
    AmxBusy,
    Creations,
    Evidence,
    Footprint,
    GraphBreak,
    Graphs,
    Library,
    Operator,
    Partition,
    Source,
    Unread,
)
from perfsuite.records.isa import Isa

_TENSORS = "src:bf16::blocked:ab::f0 wei:bf16::blocked:ab::f0 dst:bf16::blocked:ab::f0"
_MATMUL = f"onednn_verbose,v1,primitive,exec,cpu,matmul,brg_matmul:avx512_core_bf16,undef,{_TENSORS},,,4x5:5x6,0.5"
_VERSION = "onednn_verbose,v1,info,oneDNN v3.7.1 (commit 8d26)"
_ISA = "onednn_verbose,v1,info,cpu,isa:Intel AVX-512 with float16, Intel DL Boost and bfloat16 support "
_PARTITION = (
    "onednn_verbose,v1,graph,exec,cpu,7,quantized_matmul_post_ops,aten::dequantize;aten::linear,,"
    "in0_u8:0:strided:variable:2x9:9s1 out0_f32:5:strided:variable:2x9:9s1,fpm:strict,matmul_t,dnnl_backend,0.25"
)

_ANSWER: dict[str, Any] = {
    "forward_s": 0.02,
    "threads": 2,
    "operators": [
        {"name": "aten::add", "shapes": "[[2, 3], []]", "dtypes": "float float", "count": 4, "self_ns": 3_000_000}
    ],
    "graphs": None,
    "layers": None,
    "amx_busy": {"cycles": None, "reason": "no PMU"},
    "resident_bytes": 1000,
    "held_bytes": [],
    "creation_lines": [],
    "peak_rss_bytes": 2000,
    "model_macs": 120,
    "stack_answers": {
        **msgspec.to_builtins(ANSWERS),
        "openmp_runtimes": ["/home/somebody/lib/libgomp-1.so", "/opt/libiomp5.so"],
    },
}
_READY = {"prepare_s": 1.5, "first_inference_s": 0.25}


def _built(*lines: str, artefact_bytes: int | None = None, **changes: Any) -> Evidence:
    log = "".join(f"{line}\n" for line in lines)
    answer = {**_ANSWER, "passes_s": [_ANSWER["forward_s"]] * log.count(PASS_MARK), "line_s": 0.0, **changes}
    return build_evidence(answer, _READY, log, artefact_bytes=artefact_bytes)


def test_the_last_pass_s_kernels_and_the_operators_beside_them() -> None:
    found = _built(
        _MATMUL, PASS_MARK, _MATMUL, _MATMUL, _MATMUL, PASS_MARK, _MATMUL, SGEMM, model_macs=120 + 48 * 16 * 32
    )
    assert [(row.source, row.operation, row.count) for row in found.kernels] == [
        (Source.OPERATOR, "aten::add", 4),
        (Source.ONEDNN, "matmul", 1),
        (Source.MKL, "SGEMM", 1),
    ]
    assert [row.time_s for row in found.kernels] == pytest.approx([0.003, 0.001, 60.5e-6])
    assert (found.model_macs, found.forward_s, found.threads) == (120 + 48 * 16 * 32, 0.02, 2)


@pytest.mark.parametrize(
    ("passes_s", "line_s", "expected_s"),
    [
        # One pass twice as slow as one without instruments, one as fast: 0.25 and 0.5 ms.
        ([0.04, 0.02], 0.0, 0.000375),
        # A line's 20 ms are not the pass's own.
        ([0.04, 0.04], 0.02, 0.0005),
        # Lines that seem to cost more than the pass leave it as long as its kernel.
        ([0.04, 0.04], 0.05, 0.02),
    ],
)
def test_kernels_take_their_part_of_a_pass_without_instruments(
    passes_s: list[float], line_s: float, expected_s: float
) -> None:
    found = _built(PASS_MARK, _MATMUL, PASS_MARK, _MATMUL, passes_s=passes_s, line_s=line_s, operators=[])
    assert [row.time_s for row in found.kernels] == pytest.approx([expected_s])


def test_kernels_too_short_for_the_clock_take_no_time() -> None:
    instant = _MATMUL.removesuffix("0.5") + "0"
    found = _built(PASS_MARK, instant, passes_s=[0.001], line_s=0.002, operators=[])
    assert [row.time_s for row in found.kernels] == [0]


def test_a_mark_behind_an_unfinished_line_counts() -> None:
    found = _built(PASS_MARK, _MATMUL, f"loss 0.25{PASS_MARK}", _MATMUL)
    assert [row.count for row in found.kernels if row.source is Source.ONEDNN] == [1]


def test_a_silent_pass_has_no_library_kernels() -> None:
    found = _built(PASS_MARK, _MATMUL, PASS_MARK)
    assert [row.source for row in found.kernels] == [Source.OPERATOR]
    assert found.partitions == ()


@pytest.mark.parametrize(
    ("lines", "shown_count"),
    [
        ((), 0),
        ((_MATMUL, _MATMUL), 0),
        ((f"{PASS_MARK} 1", "another,pass"), 0),
        # Cut off: the disk was full.
        ((PASS_MARK, _MATMUL), 1),
    ],
)
def test_output_that_lacks_a_pass_is_an_error(lines: tuple[str, ...], shown_count: int) -> None:
    words = rf"\({len(lines)} lines\) shows {shown_count} of 2 passes.*run the variant again"
    with pytest.raises(EvidenceError, match=words) as caught:
        _built(*lines, passes_s=[0.02, 0.02])
    assert isinstance(caught.value, WorkerError)


def test_operators_come_in_seconds() -> None:
    assert _built(PASS_MARK).operators == (
        Operator(name="aten::add", shapes="[[2, 3], []]", dtypes="float float", count=4, self_time_s=0.003),
    )


def test_the_longest_operators_are_kept_and_the_rest_added_up() -> None:
    many = [
        {"name": f"aten::op{index}", "shapes": "[]", "dtypes": "", "count": 2, "self_ns": index}
        for index in range(1, 65)
    ]
    kept = _built(PASS_MARK, operators=many).operators
    assert [one.name for one in kept[:2]] == ["aten::op64", "aten::op63"]
    assert [one.name for one in kept[59:]] == ["aten::op5", "(others)"]
    assert kept[-1].count == 8
    assert kept[-1].self_time_s == pytest.approx(10e-9)
    assert [one.name for one in _built(PASS_MARK, operators=many[:60]).operators][-1] == "aten::op1"


def test_every_copy_of_a_library_is_named_wherever_it_speaks() -> None:
    found = _built(HEADER, _VERSION, _ISA, PASS_MARK, _VERSION.replace("3.7.1", "3.5.3"), _MATMUL)
    assert found.libraries == (
        Library(name="oneDNN", version="3.7.1", isa=_ISA.partition("isa:")[2].rstrip()),
        Library(name="oneDNN", version="3.5.3", isa=""),
        LIBRARY,
    )


def test_partitions_of_the_last_pass_by_kind_and_size() -> None:
    other = _PARTITION.replace("aten::dequantize;", "")
    found = _built(PASS_MARK, _PARTITION, PASS_MARK, _PARTITION, other, _PARTITION)
    assert found.partitions == (
        Partition(kind="quantized_matmul_post_ops", operators="2 operators", count=2, time_s=0.0005),
        Partition(kind="quantized_matmul_post_ops", operators="1 operators", count=1, time_s=0.00025),
    )


def test_lines_that_cannot_be_read_are_counted_wherever_they_stand() -> None:
    cut = [SGEMM[:end] for end in (30, 31, 32, 33)]
    found = _built("onednn_verbose,v1,prim", "not a library's", PASS_MARK, *cut)
    assert found.unread == Unread(count=5, samples=("onednn_verbose,v1,prim", *cut[:3]))
    assert _built(PASS_MARK, _MATMUL).unread == Unread(count=0, samples=())


def test_graphs() -> None:
    said = {
        "compiled": 2,
        "breaks": [{"reason": "print", "count": 3}],
        "recompiles": ["forward: size mismatch"],
        "compile_s": 4.5,
    }
    assert _built(PASS_MARK, graphs=said).graphs == Graphs(
        compiled=2,
        breaks=(GraphBreak(reason="print", count=3),),
        recompiles=("forward: size mismatch",),
        compile_s=4.5,
    )
    assert _built(PASS_MARK).graphs is None


def test_sizes_and_times() -> None:
    assert _built(PASS_MARK, artefact_bytes=7).footprint == Footprint(
        resident_bytes=1000, peak_rss_bytes=2000, artefact_bytes=7, prepare_s=1.5, first_inference_s=0.25
    )
    assert _built(PASS_MARK).footprint.artefact_bytes is None
    assert _built(PASS_MARK).amx_busy == AmxBusy(cycles=None, reason="no PMU")
    assert _built(PASS_MARK, amx_busy={"cycles": 12}).amx_busy == AmxBusy(cycles=12)


def test_no_path_of_the_machine_is_kept() -> None:
    assert _built(PASS_MARK).stack_answers == dataclasses.replace(
        ANSWERS, openmp_runtimes=("libgomp-1.so", "libiomp5.so")
    )
    assert b"somebody" not in msgspec.json.encode(_built(PASS_MARK))


@given(
    st.lists(st.text() | st.sampled_from([PASS_MARK, _MATMUL, _PARTITION, SGEMM, HEADER, _ISA, _VERSION])), st.data()
)
def test_no_garbage_between_marks_raises(lines: list[str], data: st.DataObject) -> None:
    cuts = [data.draw(st.integers(0, len(line))) for line in lines]
    found = _built(PASS_MARK, *lines, *(line[:cut] for line, cut in zip(lines, cuts, strict=True)))
    assert found.operators
    assert all(row.time_s >= 0 and row.count > 0 for row in found.kernels)


def test_evidence_survives_a_file() -> None:
    whole = evidence(
        [
            kernel(1.25, isa=Isa.AMX, reference=True),
            kernel(1, source=Source.MKL, macs=None),
            operator_kernel("aten::add"),
        ],
        _built(PASS_MARK).operators,
        partitions=(Partition(kind="k", operators="2 operators", count=1, time_s=0.5),),
        graphs=graphs("print", "print", recompiles=("again",)),
        libraries=(LIBRARY,),
        unread=Unread(count=1, samples=("onednn_verbose,",)),
        amx_busy=AmxBusy(cycles=5),
    )
    assert msgspec.json.decode(msgspec.json.encode(whole), type=Evidence) == whole
    assert msgspec.convert(msgspec.to_builtins(whole), Evidence) == whole


def test_a_kernel_stored_without_its_reference_mark_is_none() -> None:
    stored = msgspec.to_builtins(evidence([kernel()]))
    del stored["kernels"][0]["reference"]
    assert msgspec.convert(stored, Evidence).kernels == (kernel(),)


@pytest.mark.parametrize(("field", "value"), [("isa", "amx3"), ("source", "cuDNN"), ("count", "3"), ("time_s", None)])
def test_a_kernel_that_is_none_is_refused(field: str, value: object) -> None:
    stored = msgspec.to_builtins(evidence([kernel()]))
    stored["kernels"][0][field] = value
    with pytest.raises(msgspec.ValidationError, match=field):
        msgspec.convert(stored, Evidence)


_PROFILE = {
    "version": "2026.4.1",
    "capabilities": "BF16 FP32",
    "duration_s": 0.01,
    "layers": [
        {
            "kind": "FullyConnected",
            "implementation": "brgemm_avx512_amx_bf16",
            "inputs": [{"dtype": "bf16", "shape": [4, 5]}, {"dtype": "f32", "shape": [6, 5]}],
            "outputs": [{"dtype": "bf16", "shape": [4, 6]}],
            "members": 1,
            "quantisation_group": 32,
            "time_s": 0.004,
        }
    ],
}
_REGION = {"name": "Torch-Compiled Region: 0/0", "shapes": "", "dtypes": "", "count": 1, "self_ns": 15_000_000}


def test_a_backend_s_own_profile_is_its_kernels_and_names_its_library() -> None:
    found = _built(layers=_PROFILE, operators=[])
    (row,) = found.kernels
    assert (row.source, row.operation, row.isa, row.dtype) == (Source.OPENVINO, "FullyConnected", Isa.AMX, "bf16")
    assert (row.macs, row.problem, row.tensors) == (4 * 5 * 6, "4x5:6x5:4x6", "bf16 f32 bf16")
    assert row.time_s == pytest.approx(0.008)  # of a pass of 20 ms, where one with counters takes 10
    assert found.libraries == (Library(name="OpenVINO", version="2026.4.1", isa="BF16 FP32"),)


@pytest.mark.parametrize(("layers", "operations"), [(_PROFILE, ["FullyConnected"]), (None, [_REGION["name"]])])
def test_a_compiled_graph_is_its_layers_where_they_are_told(layers: object, operations: list[str]) -> None:
    assert [row.operation for row in _built(layers=layers, operators=[_REGION]).kernels] == operations


_MISS = f"create:cache_miss,cpu,matmul,brg_matmul:avx512_core_bf16,undef,{_TENSORS},,,4x5:5x6,0.5"


@pytest.mark.parametrize(
    "prefix",
    [
        "onednn_verbose,",
        "onednn_verbose,primitive,",
        "onednn_verbose,v1,primitive,",
        "onednn_verbose,v1,12.5,primitive,",
    ],
)
def test_primitives_that_a_pass_makes_are_counted_in_every_version(prefix: str) -> None:
    reorder = f"{prefix}create:cache_miss,cpu,reorder,jit:uni,undef,{_TENSORS},,,4x5,0.5"
    found = _built(creation_lines=[reorder, prefix + _MISS, f"loss 0.25{prefix}{_MISS}"])
    assert found.creations == Creations(count=3, kernels=("matmul brg_matmul:avx512_core_bf16", "reorder jit:uni"))
    assert _built(creation_lines=None).creations is None


def test_growth_is_that_of_a_pass() -> None:
    assert _built(held_bytes=[10, 20, 30, 40, 50]).growth_bytes == 10
    assert _built(held_bytes=[10, 5_000_000, 5_000_000, 5_000_000, 5_000_000, 5_000_000]).growth_bytes == 0
    assert _built().growth_bytes is None
