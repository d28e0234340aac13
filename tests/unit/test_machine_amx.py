"""AMX with a trial: used or not, by which kernels, against every list, cap and header that says otherwise."""

from dataclasses import replace

import pytest
from builders import ANSWERS
from test_machine_isa import ABOVE, AVX512, STOCK, cpu, one
from test_machine_isa import AMX as CPU
from test_machine_trial import AMX as AMX_HEADER
from test_machine_trial import AMX_FP16
from test_machine_trial import AVX512 as AVX512_HEADER
from test_machine_trial import BF16 as BF16_HEADER

from perfsuite.machine.finding import Level
from perfsuite.machine.isa import capabilities, missing
from perfsuite.machine.onednn import onednn_findings
from perfsuite.machine.standing import State
from perfsuite.records.machine import OneDnn, Permission, Product, StackAnswers, Trial

TORCH = OneDnn(library="torch", version="3.9.1", isa=AMX_HEADER)
IPEX = OneDnn(library="ipex", version="3.8.0", isa=AMX_HEADER)
BF16 = Product(library="torch", dtype="bf16", implementations=("brg_matmul:avx10_1_512_amx",))
INT8 = replace(BF16, dtype="int8")
IPEX_BF16 = Product(library="ipex", dtype="bf16", implementations=("brgemm:avx10_1_512_amx",))
TRIAL = Trial(copies=(TORCH,), products=(BF16, INT8), amx_busy_reason="perf_event_open: Permission denied")
BOTH = replace(TRIAL, copies=(TORCH, IPEX), products=(BF16, INT8, IPEX_BF16))
NO_AMX = cpu(f"{AVX512} {ABOVE}")


def stock(**changes: object) -> StackAnswers:
    return replace(STOCK, trial=replace(TRIAL, **changes))  # type: ignore[arg-type]


def with_ipex(**changes: object) -> StackAnswers:
    return replace(ANSWERS, trial=replace(BOTH, **changes))  # type: ignore[arg-type]


def test_used_names_the_kernels_of_every_copy() -> None:
    found = capabilities(CPU, {}, with_ipex())
    assert one("amx-bf16", found).reason == (
        "used: torch's oneDNN 3.9.1 multiplies bf16 with brg_matmul:avx10_1_512_amx, "
        "ipex's oneDNN 3.8.0 multiplies bf16 with brgemm:avx10_1_512_amx"
    )
    assert one("amx-int8", found).state is State.USED
    assert one("avx512-bf16", found).state is State.PRESENT
    assert missing("amx", found) == ()


@pytest.mark.parametrize(
    ("product", "told", "remedy"),
    [
        (
            replace(BF16, implementations=("ref:any",)),
            "torch's oneDNN 3.9.1 multiplies bf16 with ref:any",
            "ONEDNN_VERBOSE=all",
        ),
        (replace(BF16, implementations=()), "torch multiplies bf16 without oneDNN", "built with oneDNN"),
    ],
)
def test_usable_by_every_flag_and_unused(product: Product, told: str, remedy: str) -> None:
    found = capabilities(CPU, {}, stock(products=(product, INT8)))
    amx = one("amx-bf16", found)
    assert amx.reason == f"unused: in /proc/cpuinfo, but {told}"
    assert remedy in amx.remedy
    assert [item.name for item in missing("amx", found)] == ["amx-bf16"]


def test_unused_by_a_copy_that_knows_no_amx_asks_for_a_newer_one() -> None:
    old = replace(IPEX, isa=BF16_HEADER)
    slow = replace(IPEX_BF16, implementations=("brgemm:avx512_core_bf16",))
    found = capabilities(CPU, {}, with_ipex(copies=(TORCH, old), products=(BF16, INT8, slow)))
    amx = one("amx-bf16", found)
    assert (
        amx.reason == "unused: in /proc/cpuinfo, but ipex's oneDNN 3.8.0 multiplies bf16 with brgemm:avx512_core_bf16"
    )
    assert "the ipex of the same minor version" in amx.remedy


def test_what_cannot_be_told_is_neither_used_nor_unused() -> None:
    silent = replace(BF16, implementations=("gemm:jit:bf16",))
    failed = replace(INT8, implementations=(), error="RuntimeError: no such operator")
    found = capabilities(CPU, {}, stock(products=(silent, failed)))
    assert one("amx-bf16", found).reason.startswith("present: in /proc/cpuinfo; ")
    assert one("amx-bf16", found).reason.endswith("; torch's oneDNN 3.9.1 multiplies bf16 with gemm:jit:bf16")
    assert one("amx-int8", found).state is State.PRESENT


def test_an_ipex_that_did_not_speak_leaves_it_open() -> None:
    found = capabilities(CPU, {}, replace(ANSWERS, trial=TRIAL))
    assert one("amx-bf16", found).state is State.PRESENT
    broken = replace(ANSWERS, trial=TRIAL, ipex_import_error="ImportError: libintel", ipex_onednn_isa=None)
    assert one("amx-bf16", capabilities(CPU, {}, broken)).state is State.USED


def test_a_trial_that_ended_its_process_is_no_use_of_amx() -> None:
    found = capabilities(CPU, {}, replace(STOCK, trial=Trial(failure="was ended by signal SIGILL")))
    amx = one("amx-int8", found)
    assert (
        amx.reason == "unused: in /proc/cpuinfo, but the process that tried a matrix product was ended by signal SIGILL"
    )
    assert "perfsuite.worker.probe" in amx.remedy
    assert one("avx512-bf16", found).usable
    assert one("amx-bf16", capabilities(NO_AMX, {}, replace(STOCK, trial=Trial(failure="x")))).state is State.HIDDEN


def test_what_ran_outweighs_list_cap_level_and_permission() -> None:
    # A oneDNN that does not know the value ignores it.
    assert one("amx-bf16", capabilities(CPU, {"ONEDNN_MAX_CPU_ISA": "AVX10_2"}, with_ipex())).state is State.USED
    assert one("amx-bf16", capabilities(NO_AMX, {}, stock())).state is State.USED
    assert one("amx-bf16", capabilities(CPU, {}, replace(stock(), amx_tile=False))).state is State.USED
    refused = replace(stock(), amx_permission=Permission(granted=False, reason="Operation not permitted"))
    assert one("amx-bf16", capabilities(CPU, {}, refused)).state is State.USED


def test_a_cap_names_the_kernels_that_it_left() -> None:
    capped = stock(
        copies=(replace(TORCH, isa=AVX512_HEADER),), products=(replace(BF16, implementations=("gemm:jit:bf16",)), INT8)
    )
    amx = one("amx-bf16", capabilities(CPU, {"ONEDNN_MAX_CPU_ISA": "AVX512_CORE"}, capped))
    assert amx.reason == (
        "capped: in /proc/cpuinfo, but switched off by ONEDNN_MAX_CPU_ISA=AVX512_CORE; "
        "torch's oneDNN 3.9.1 multiplies bf16 with gemm:jit:bf16"
    )


def test_a_cap_on_ipex_alone_counts_for_both_types() -> None:
    capped = with_ipex(
        copies=(TORCH, replace(IPEX, isa=AVX512_HEADER)),
        products=(BF16, INT8, replace(IPEX_BF16, implementations=("x64:gemm:jit",))),
    )
    found = capabilities(CPU, {"ATEN_CPU_CAPABILITY": "avx512"}, capped)
    assert [item.name for item in missing("amx", found)] == ["amx-bf16", "amx-int8"]
    assert one("amx-int8", found).reason == (
        "capped: in /proc/cpuinfo, but switched off by ATEN_CPU_CAPABILITY=avx512 in ipex; "
        "torch's oneDNN 3.9.1 multiplies int8 with brg_matmul:avx10_1_512_amx"
    )


def test_a_header_can_name_amx_fp16() -> None:
    silent = replace(stock(copies=(replace(TORCH, isa=AMX_FP16),)), amx_fp16=None)
    assert one("amx-fp16", capabilities(CPU, {}, silent)).usable
    told = one("amx-fp16", capabilities(CPU, {}, replace(stock(), amx_fp16=None)))
    assert (told.state, told.detail.rpartition("; ")[2]) == (State.ABSENT, "no header of oneDNN names it")


# The processors and oneDNN headers of the field, their numbers our own.
@pytest.mark.parametrize(
    ("processor", "isa", "implementation", "state"),
    [
        (cpu(f"{AVX512} {ABOVE} amx_tile amx_bf16 amx_int8"), AMX_HEADER, "brg:avx512_core_amx", "used"),
        (cpu(f"{AVX512} {ABOVE} amx_tile amx_bf16 amx_int8", 173), AMX_FP16, "brg_matmul:avx10_1_512_amx", "used"),
        (cpu(f"{AVX512} {ABOVE} amx_tile amx_bf16 amx_int8", 173), AMX_FP16, "ref:any", "unused"),
        (cpu(f"{AVX512} {ABOVE}", kernel="5.4.0"), BF16_HEADER, "brg:avx512_core_bf16", "hidden"),
        (cpu(f"hypervisor {AVX512} avx512_vnni avx512_bf16", 207), BF16_HEADER, "brg:avx512_core_bf16", "hidden"),
        (cpu(f"{AVX512} avx512_vnni", 106), "Intel AVX-512 with Intel DL Boost", "gemm:jit:bf16", "absent"),
        (cpu(f"{AVX512} avx512_vnni", 85), "Intel AVX-512 with Intel DL Boost", "ref:any", "absent"),
        (cpu(f"{AVX512} avx512_bf16", 17, "AuthenticAMD"), BF16_HEADER, "brg:avx512_core_bf16", "absent"),
        (cpu("avx2 fma", 33, "AuthenticAMD"), "Intel AVX2", "gemm_api", "absent"),
    ],
)
def test_processors_and_headers(processor: object, isa: str, implementation: str, state: str) -> None:
    products = (replace(BF16, implementations=(implementation,)),)
    answers = stock(copies=(replace(TORCH, isa=isa),), products=products)
    found = capabilities(processor, {}, answers)  # type: ignore[arg-type]
    assert one("amx-bf16", found).state == state
    headers = [one for one in onednn_findings(processor, found, answers) if one.summary.startswith("torch's 3.9.1")]  # type: ignore[arg-type]
    assert [one.level for one in headers] == [Level.OK]  # header and cpuinfo agree on all of these


def findings(processor: object, answers: StackAnswers) -> list[tuple[str, str, str, str]]:
    found = capabilities(processor, {}, answers)  # type: ignore[arg-type]
    told = onednn_findings(processor, found, answers)  # type: ignore[arg-type]
    return [(one.topic, one.level.value, one.summary, one.remedy) for one in told]


def test_nothing_was_tried_nothing_is_said() -> None:
    assert findings(CPU, STOCK) == []
    assert list(onednn_findings(CPU, capabilities(CPU, {}, None), None)) == []


def test_each_header_is_told() -> None:
    assert findings(CPU, with_ipex())[:2] == [
        ("oneDNN", "ok", f"torch's 3.9.1: {AMX_HEADER}", ""),
        ("oneDNN", "ok", f"ipex's 3.8.0: {AMX_HEADER}", ""),
    ]


def test_a_header_without_the_amx_that_cpuinfo_lists() -> None:
    refused = replace(
        stock(copies=(replace(TORCH, isa=BF16_HEADER),), products=()),
        amx_permission=Permission(granted=False, reason="Operation not permitted"),
    )
    ((topic, level, summary, remedy), _) = findings(CPU, refused)
    assert (topic, level) == ("oneDNN", "warning")
    assert summary.endswith("; /proc/cpuinfo lists AMX, this copy has none (refused, see amx-bf16)")
    assert "seccomp" in remedy
    one_old = findings(CPU, with_ipex(copies=(TORCH, replace(IPEX, isa=BF16_HEADER)), products=(BF16,)))
    assert one_old[1][2].endswith("this copy has none (too old or built without it)")
    assert "install a newer torch" in one_old[1][3]


def test_a_header_with_the_amx_that_cpuinfo_lacks() -> None:
    ((topic, level, summary, remedy),) = findings(NO_AMX, stock())
    assert (topic, level) == ("oneDNN", "note")
    assert "/proc/cpuinfo lists no AMX" in summary
    assert "clearcpuid=" in remedy


def test_a_header_that_names_nothing_known_accuses_nobody() -> None:
    ((_, level, summary, _), _) = findings(CPU, stock(copies=(replace(TORCH, isa=""),)))
    assert (level, summary) == ("note", "torch's 3.9.1: its header names no instruction set that is known here")


def test_products_that_did_not_run_and_trials_that_failed() -> None:
    failed = replace(INT8, implementations=(), error="RuntimeError: no such operator")
    assert ("oneDNN", "note", "torch multiplied no int8 matrices: RuntimeError: no such operator", "") in findings(
        CPU, stock(products=(BF16, failed))
    )
    ((_, level, summary, remedy),) = findings(CPU, replace(STOCK, trial=Trial(failure="was ended by signal SIGILL")))
    assert (level, summary) == ("warning", "the process that tried a matrix product was ended by signal SIGILL")
    assert "--output-fd 1" in remedy


@pytest.mark.parametrize(
    ("changes", "level", "words"),
    [
        ({"amx_busy_cycles": 4096, "amx_busy_reason": ""}, "ok", "exe.amx_busy: 4096 cycles"),
        ({"amx_busy_cycles": 0, "amx_busy_reason": ""}, "note", "0 cycles, though AMX kernels ran"),
        (
            {"amx_busy_cycles": 0, "products": (replace(BF16, implementations=("ref:any",)),)},
            "ok",
            "exe.amx_busy: 0 cycles in all products",
        ),
        ({}, "note", "cannot be read: perf_event_open: Permission denied"),
    ],
)
def test_perf_s_counter(changes: dict[str, object], level: str, words: str) -> None:
    (*_, (topic, found, summary, remedy)) = findings(CPU, stock(**changes))
    assert (topic, found) == ("amx_busy", level)
    assert words in summary
    assert bool(remedy) is ("cannot" in summary)
