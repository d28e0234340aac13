"""The gate: kernels against what is expected of them on this machine, and against the baseline's."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

import pytest
from builders import ANSWERS
from evidence_builders import FP32, REORDER, evidence, graphs, kernel, operator_kernel
from test_machine_isa import ABOVE, AMX, AVX512, STOCK, cpu

from perfsuite.gates.expectations import Expectation
from perfsuite.gates.gate import losses, names, violations
from perfsuite.gates.offer import amx, offer
from perfsuite.machine.cpu import Cpu
from perfsuite.records.evidence import Evidence, Kernel
from perfsuite.records.isa import Isa
from perfsuite.records.machine import Permission

_BF16 = Expectation(
    dtype="bf16",
    least_share=0.95,
    least_best_isa_share=0.9,
    most_reference_share=0.01,
    graph_breaks=0,
    known="",
    source="measured",
)
_INT8 = dataclasses.replace(_BF16, dtype="int8")
_KNOWN = dataclasses.replace(_BF16, dtype="", known="simulated")

_AVX512_BF16 = f"{AVX512} avx512_vnni avx512_bf16"
ZEN4 = cpu(_AVX512_BF16, model=17, vendor="AuthenticAMD")
#: A Sapphire Rapids whose hypervisor hides the tiles.
HIDDEN = cpu(f"{_AVX512_BF16} hypervisor")
CASCADE_LAKE = cpu(f"{AVX512} avx512_vnni", model=85)
ALDER_LAKE = cpu("avx2 fma avx_vnni", model=151)
HASWELL = cpu("avx2 fma", model=63)
NEHALEM = cpu("sse4_2", model=26)

_REFUSED = dataclasses.replace(ANSWERS, amx_permission=Permission(granted=False, reason="Operation not permitted"))


def _conv(share: int, isa: Isa, dtype: str = "bf16", **changes: Any) -> Kernel:
    """A convolution that does this many of a hundred multiply-accumulates."""
    implementation = changes.pop("implementation", f"brgconv:{isa}")
    return kernel(share, macs=share, isa=isa, dtype=dtype, implementation=implementation, **changes)


def _pass(*kernels: Kernel, **changes: Any) -> Evidence:
    return evidence(kernels, **{"model_macs": 100, **changes})


def _said(
    found: Evidence,
    expected: Expectation = _BF16,
    *,
    cpu: Cpu = AMX,
    environ: Mapping[str, str] | None = None,
    require_amx: bool = False,
) -> tuple[str, ...]:
    return violations(found, expected, cpu=cpu, environ=environ or {}, require_amx=require_amx)


@pytest.mark.parametrize(
    ("expected", "found", "machine"),
    [
        (_BF16, _pass(_conv(97, Isa.AMX), _conv(3, Isa.AVX512, "fp32")), AMX),
        (_BF16, _pass(_conv(90, Isa.AMX), _conv(10, Isa.AVX512_BF16)), AMX),
        (_INT8, _pass(_conv(100, Isa.AMX, "int8")), AMX),
        (_BF16, _pass(_conv(100, Isa.AVX512_BF16)), ZEN4),
        (_INT8, _pass(_conv(100, Isa.AVX512_VNNI, "int8")), ZEN4),
        # oneDNN's name for a better machine's instructions.
        (_INT8, _pass(_conv(100, Isa.AVX512_BF16, "int8")), ZEN4),
        (_BF16, _pass(_conv(100, Isa.AVX512)), CASCADE_LAKE),
        (_INT8, _pass(_conv(100, Isa.AVX_VNNI, "int8")), ALDER_LAKE),
        (_BF16, _pass(_conv(100, Isa.AVX512_BF16)), HIDDEN),
        (dataclasses.replace(_BF16, dtype="fp32"), _pass(_conv(100, Isa.AVX512, "fp32")), AMX),
    ],
    ids=[
        "amx",
        "enough-amx",
        "amx-int8",
        "zen4",
        "zen4-int8",
        "better-name",
        "cascade-lake",
        "alder-lake",
        "hidden",
        "fp32",
    ],
)
def test_as_expected(expected: Expectation, found: Evidence, machine: Cpu) -> None:
    assert _said(found, expected, cpu=machine) == ()


def test_capped_by_a_variable() -> None:
    found = _pass(_conv(60, Isa.AVX512), _conv(40, Isa.AVX512_BF16, implementation="brg_matmul:avx512_core_bf16"))
    (sentence,) = _said(found, environ={"ONEDNN_MAX_CPU_ISA": "AVX512_CORE"})
    assert sentence.startswith(
        "amx is not used: it does 0% of the bf16 work, expected at least 90%; avx512 60%, avx512-bf16 40% "
        "(1 convolution brgconv:avx512 (bf16), 1 convolution brg_matmul:avx512_core_bf16 (bf16)); "
        "amx on this machine: "
    )
    assert sentence.endswith("switched off by ONEDNN_MAX_CPU_ISA=AVX512_CORE")


@pytest.mark.parametrize(
    ("cap", "expected", "kernel_isa", "best"),
    [
        ("AVX512_CORE", _BF16, Isa.AVX512, "avx512-bf16"),
        ("AVX512_CORE_VNNI", _BF16, Isa.AVX512_VNNI, "avx512-bf16"),
        ("AVX512_CORE", _INT8, Isa.AVX512, "avx512-vnni"),
    ],
)
def test_capped_on_a_machine_without_amx(cap: str, expected: Expectation, kernel_isa: Isa, best: str) -> None:
    found = _pass(_conv(100, kernel_isa, expected.dtype or ""))
    (sentence,) = _said(found, expected, cpu=ZEN4, environ={"ONEDNN_MAX_CPU_ISA": cap})
    assert sentence.startswith(f"{best} is not used: it does 0% of the {expected.dtype} work")
    assert sentence.endswith(f"switched off by ONEDNN_MAX_CPU_ISA={cap}")


def test_refused_by_the_kernel() -> None:
    (sentence,) = _said(_pass(_conv(100, Isa.AVX512_BF16), stack_answers=_REFUSED))
    obstacle = sentence.partition("; amx on this machine: ")[2]
    assert "refused" in obstacle
    assert obstacle.endswith("tile registers: Operation not permitted")


@pytest.mark.parametrize(
    ("isa", "word"), [(Isa.AVX512_BF16, "avx512-bf16"), (Isa.UNKNOWN, "unstated"), (Isa.GENERIC, "generic")]
)
def test_unused_though_nothing_forbids_it(isa: Isa, word: str) -> None:
    found = _pass(_conv(8900, Isa.AMX), _conv(1060, isa), _conv(40, Isa.AVX2), model_macs=10_000)
    (sentence,) = _said(found)
    assert "amx is not used: it does 89% of the bf16 work, expected at least 90%" in sentence
    assert f"; {word} 11% (1 convolution brgconv:{isa} (bf16), 1 convolution brgconv:avx2 (bf16));" in sentence
    assert sentence.endswith("amx on this machine: nothing forbids it: unused")


def test_where_the_library_does_not_tell_instructions_are_not_asked_for() -> None:
    untold = dataclasses.replace(_BF16, least_best_isa_share=0)
    assert _said(_pass(_conv(100, Isa.UNKNOWN)), untold) == ()
    assert _said(_pass(_conv(100, Isa.UNKNOWN)), untold, cpu=ZEN4, require_amx=True) == ()


@pytest.mark.parametrize("expected", [_BF16, _INT8])
def test_required_amx_that_a_hypervisor_hides(expected: Expectation) -> None:
    found = _pass(_conv(100, Isa.AVX512_BF16, expected.dtype or ""))
    (sentence,) = _said(found, expected, cpu=HIDDEN, require_amx=True)
    assert sentence.startswith("--require-isa amx: ")
    assert f"amx_tile, amx_{expected.dtype}" in sentence
    for words in ("Sapphire Rapids (model 143)", "hidden", "likelier by the hypervisor"):
        assert words in sentence


def test_required_amx_on_a_processor_without_it() -> None:
    (sentence,) = _said(_pass(_conv(100, Isa.AVX512_BF16)), cpu=ZEN4, require_amx=True)
    assert sentence.startswith("--require-isa amx: absent")
    assert sentence.endswith("amx_tile, amx_bf16")


def test_required_amx_that_is_there_or_not_for_this_type() -> None:
    assert _said(_pass(_conv(100, Isa.AMX)), require_amx=True) == ()
    fp32 = dataclasses.replace(_BF16, dtype="fp32")
    assert _said(_pass(_conv(100, Isa.AVX512, "fp32")), fp32, cpu=ZEN4, require_amx=True) == ()


def test_int8_that_ran_fp32() -> None:
    lost = [kernel(9, **{**FP32, "macs": 20, "count": 2, "problem": str(index)}) for index in range(4)]
    assert _said(_pass(_conv(20, Isa.AMX, "int8"), *lost), _INT8) == (
        "precision lost: int8 does 20% of the multiply-accumulates, expected at least 95%; fp32 does 80% "
        "(8 convolution jit:avx512_core (fp32))",
    )


def test_work_that_nobody_accounts_for_is_said() -> None:
    (sentence,) = _said(_pass(_conv(50, Isa.AMX), operator_kernel("aten::mm"), kernel(1, **REORDER)))
    assert sentence.endswith("expected at least 95%; 50% is unattributed (no kernels)")
    (sentence,) = _said(_pass(_conv(50, Isa.AMX), _conv(30, Isa.UNKNOWN, "")))
    assert "; an unknown type does 30%, 20% is unattributed (1 convolution brgconv:unknown ())" in sentence


def test_without_any_kernel_the_precision_is_lost() -> None:
    (sentence,) = _said(_pass(forward_s=0.01))
    assert sentence.endswith(
        "bf16 does 0% of the multiply-accumulates, expected at least 95%; 100% is unattributed (no kernels)"
    )


def test_reference_kernels_by_work_and_by_time() -> None:
    by_time = _pass(
        _conv(100, Isa.AMX), kernel(2, operation="softmax", implementation="ref:any", macs=0, reference=True)
    )
    assert _said(by_time) == (
        "reference kernels carry 0% of the work and 2% of the time, at most 1% accepted (1 softmax ref:any (bf16))",
    )
    by_work = _pass(_conv(98, Isa.AMX), kernel(0.1, macs=2, isa=Isa.GENERIC, implementation="ref:any", reference=True))
    assert _said(by_work) == (
        "reference kernels carry 2% of the work and 0% of the time, at most 1% accepted (1 convolution ref:any (bf16))",
    )
    few = _pass(_conv(100, Isa.AMX), kernel(0.9, operation="softmax", implementation="ref:any", macs=0, reference=True))
    assert _said(few) == ()


def test_graph_breaks_beyond_the_accepted() -> None:
    found = _pass(_conv(100, Isa.AMX), graphs=graphs("print", "print", "data-dependent branch"))
    assert _said(found) == ("3 graph breaks, 0 accepted: print; data-dependent branch",)
    assert _said(found, dataclasses.replace(_BF16, graph_breaks=2)) != ()
    assert _said(found, dataclasses.replace(_BF16, graph_breaks=3)) == ()


def test_a_known_variant_is_asked_no_type_but_all_else() -> None:
    fp32 = _conv(100, Isa.AVX512, "fp32")
    assert _said(_pass(fp32), _KNOWN, environ={"ONEDNN_MAX_CPU_ISA": "AVX2"}) == ()
    assert _said(_pass(fp32), _KNOWN, cpu=ZEN4, require_amx=True) == ()
    slow = dataclasses.replace(fp32, reference=True, implementation="ref:any")
    found = _said(_pass(slow, graphs=graphs("print")), _KNOWN)
    assert [sentence.partition(" ")[0] for sentence in found] == ["reference", "1"]


def test_what_is_wrong_is_all_said() -> None:
    lost = _conv(50, Isa.AVX512, "fp32", reference=True)
    found = _pass(_conv(50, Isa.AVX512), lost, graphs=graphs("print"))
    assert [sentence.split()[0] for sentence in _said(found)] == ["precision", "amx", "reference", "1"]


def test_kernels_are_named_the_most_work_first_and_the_rest_counted() -> None:
    kernels = [_conv(share, Isa.AMX, implementation=f"jit{share}", count=2) for share in (1, 7, 3, 5, 2)]
    assert names([*kernels, kernels[1]]) == (
        "4 convolution jit7 (bf16), 2 convolution jit5 (bf16), 2 convolution jit3 (bf16), 2 more kinds"
    )
    assert names([operator_kernel("aten::mm")]) == "1 aten::mm operator ()"
    assert names([]) == "no kernels"


@pytest.mark.parametrize(
    ("machine", "bf16", "int8", "fp32"),
    [
        (AMX, Isa.AMX, Isa.AMX, Isa.AVX512),
        (HIDDEN, Isa.AVX512_BF16, Isa.AVX512_VNNI, Isa.AVX512),
        (ZEN4, Isa.AVX512_BF16, Isa.AVX512_VNNI, Isa.AVX512),
        (CASCADE_LAKE, Isa.AVX512, Isa.AVX512_VNNI, Isa.AVX512),
        (cpu(AVX512, model=85), Isa.AVX512, Isa.AVX512, Isa.AVX512),
        (ALDER_LAKE, Isa.GENERIC, Isa.AVX_VNNI, Isa.AVX2),
        (HASWELL, Isa.GENERIC, Isa.AVX2, Isa.AVX2),
        (NEHALEM, Isa.GENERIC, Isa.GENERIC, Isa.GENERIC),
        # oneDNN wants both types of AMX, or takes neither.
        (cpu(f"{AVX512} {ABOVE} amx_tile amx_bf16"), Isa.AVX512_BF16, Isa.AVX512_VNNI, Isa.AVX512),
    ],
    ids=["amx", "hidden", "zen4", "cascade-lake", "skylake", "alder-lake", "haswell", "nehalem", "half-amx"],
)
def test_the_best_of_each_machine(machine: Cpu, bf16: Isa, int8: Isa, fp32: Isa) -> None:
    offers = [offer(dtype, machine, {}, STOCK) for dtype in ("bf16", "int8", "fp32")]
    assert [one.best for one in offers] == [bf16, int8, fp32]
    assert [one.obstacle for one in offers] == ["", "", ""]


def test_an_obstacle_does_not_lower_what_the_machine_offers() -> None:
    capped = offer("bf16", AMX, {"DNNL_MAX_CPU_ISA": "AVX2"}, STOCK)
    assert (capped.best, "DNNL_MAX_CPU_ISA=AVX2" in capped.obstacle) == (Isa.AMX, True)


@pytest.mark.parametrize(
    ("best", "accepted"),
    [
        (Isa.AMX, {Isa.AMX}),
        (Isa.AVX512_BF16, {Isa.AMX, Isa.AVX10_2, Isa.AVX512_FP16, Isa.AVX512_BF16}),
        (Isa.AVX2, set(Isa) - {Isa.AVX, Isa.SSE41, Isa.GENERIC}),
        (Isa.GENERIC, set(Isa) - {Isa.UNKNOWN}),
    ],
)
def test_what_is_at_least_as_good_is_accepted(best: Isa, accepted: set[Isa]) -> None:
    offered = dataclasses.replace(offer("bf16", AMX, {}, ANSWERS), best=best)
    assert {isa for isa in Isa if offered.accepts(isa)} == accepted


def test_amx_is_asked_for_each_type() -> None:
    assert [amx(dtype, AMX, {}, ANSWERS).name for dtype in ("bf16", "int8")] == ["amx-bf16", "amx-int8"]
    assert amx("int8", AMX, {}, ANSWERS).usable
    assert not amx("int8", AMX, {}, _REFUSED).usable


def test_losses_against_the_baseline() -> None:
    before = _pass(_conv(100, Isa.AMX), graphs=graphs("print"))
    after = _pass(_conv(97, Isa.AMX), _conv(3, Isa.AVX512, "fp32"), graphs=graphs("print", "again", "again"))
    assert losses(before, after, _BF16) == (
        "bf16 does 97.0% of the multiply-accumulates, 100.0% in the baseline",
        "3 graph breaks, 1 in the baseline",
    )
    assert losses(after, before, _BF16) == ()
    assert losses(before, after, _KNOWN) == ("3 graph breaks, 1 in the baseline",)


@pytest.mark.parametrize(("macs", "lost"), [(996, 0), (994, 1)])
def test_rounding_of_shapes_is_no_loss(macs: int, lost: int) -> None:
    before, after = (_pass(_conv(one, Isa.AMX), model_macs=1000) for one in (1000, macs))
    assert len(losses(before, after, _BF16)) == lost


def test_graphs_that_there_were_none_of() -> None:
    without, broken = _pass(_conv(100, Isa.AMX)), _pass(_conv(100, Isa.AMX), graphs=graphs("print"))
    assert losses(without, broken, _BF16) == ("1 graph breaks, 0 in the baseline",)
    assert losses(broken, without, _BF16) == ()


def test_where_nothing_multiplies_the_type_there_is_no_silicon_to_lose() -> None:
    native = _pass(operator_kernel("aten::thnn_conv2d"))
    assert _said(native, cpu=HASWELL) == ()
    assert [sentence.split(":")[0] for sentence in _said(native, cpu=ZEN4)] == ["precision lost"]
    reference = _pass(_conv(100, Isa.GENERIC, implementation="ref:any", reference=True))
    assert [sentence.split()[0] for sentence in _said(reference, cpu=HASWELL)] == ["reference"]
