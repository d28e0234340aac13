"""Capabilities without a trial: present, or why not: absent, hidden, refused, capped, denied, of no use to oneDNN."""

from dataclasses import replace

import pytest
from builders import ANSWERS

from perfsuite.errors import PerfsuiteError
from perfsuite.machine.caps import onednn_cap
from perfsuite.machine.cpu import Cpu, parse_cpuinfo
from perfsuite.machine.isa import NAMES, Capability, capabilities, missing
from perfsuite.machine.standing import State
from perfsuite.records.machine import Permission, StackAnswers, Versions

AVX512 = "avx2 fma avx512f avx512bw avx512vl avx512dq"
ABOVE = "avx512_vnni avx512_bf16 avx512_fp16 avx_vnni"
STOCK = replace(ANSWERS, versions=Versions(python="3.12.0", torch="2.14.0"), ipex_isa=None, ipex_onednn_isa=None)


def cpu(flags: str, model: int = 143, vendor: str = "GenuineIntel", kernel: str = "6.1.0") -> Cpu:
    text = f"vendor_id : {vendor}\ncpu family : 6\nmodel : {model}\nmodel name : Test\nflags : {flags}\n"
    return replace(parse_cpuinfo(text), kernel=kernel)


AMX = cpu(f"{AVX512} {ABOVE} amx_tile amx_bf16 amx_int8")


def one(name: str, found: tuple[Capability, ...]) -> Capability:
    return next(capability for capability in found if capability.name == name)


def usable(found: tuple[Capability, ...]) -> set[str]:
    return {capability.name for capability in found if capability.usable}


def test_everything_but_amx_fp16_on_a_sapphire_rapids() -> None:
    found = capabilities(AMX, {}, ANSWERS)
    assert tuple(capability.name for capability in found) == NAMES
    assert usable(found) == set(NAMES) - {"amx-fp16"}


def test_without_a_stack_the_reason_says_that_none_was_asked() -> None:
    amx = one("amx-bf16", capabilities(AMX, {}, None))
    assert (amx.usable, amx.reason) == (True, "present: in /proc/cpuinfo; no stack was asked")


def test_absent_from_a_processor_that_never_had_it() -> None:
    amx = one("amx-int8", capabilities(cpu(AVX512, model=85), {}, None))
    assert (amx.usable, amx.reason) == (False, "absent: /proc/cpuinfo lacks amx_tile, amx_int8")


@pytest.mark.parametrize(
    ("flags", "kernel", "reason"),
    [
        (f"{AVX512} hypervisor", "6.1.0", "likelier by the hypervisor than by the kernel (6.1.0 knows AMX)"),
        (f"{AVX512} hypervisor", "5.10.9", "likelier by the kernel (5.10.9: AMX came with Linux 5.16)"),
        (f"{AVX512} hypervisor", "5.14.0-1.el9.x86_64", "likelier by the hypervisor than by the kernel"),
        (AVX512, "6.1.0", "likelier by the firmware or a boot parameter"),
        (f"{AVX512} hypervisor", "", "likelier by the hypervisor than by an old kernel"),
    ],
)
def test_hidden_on_an_emerald_rapids(flags: str, kernel: str, reason: str) -> None:
    amx = one("amx-bf16", capabilities(cpu(flags, model=207, kernel=kernel), {}, None))
    assert (amx.usable, amx.state) == (False, State.HIDDEN)
    assert "Emerald Rapids (model 207) has it, /proc/cpuinfo lacks amx_tile, amx_bf16" in amx.reason
    assert reason in amx.reason
    assert amx.remedy


@pytest.mark.parametrize(("vendor", "model"), [("AuthenticAMD", 143), ("GenuineIntel", 144)])
def test_other_processors_hide_nothing(vendor: str, model: int) -> None:
    amx = one("amx-bf16", capabilities(cpu(AVX512, vendor=vendor, model=model), {}, None))
    assert amx.state is State.ABSENT


def test_presence_never_follows_from_the_model() -> None:
    assert usable(capabilities(cpu(AVX512, model=173), {}, None)) == {"avx512", "avx2"}
    masked = replace(AMX, model=167, model_name="Some Virtual CPU")
    assert "amx-bf16" in usable(capabilities(masked, {}, None))


def test_amx_fp16_is_unknown_from_cpuinfo_until_a_stack_reads_cpuid() -> None:
    granite = replace(AMX, model=173)
    for answers, state, told in (
        (None, State.UNKNOWN, "no stack here answers"),
        (replace(ANSWERS, amx_fp16=None), State.UNKNOWN, "no stack here answers"),
        (ANSWERS, State.ABSENT, "torch reads CPUID and says no"),
    ):
        fp16 = one("amx-fp16", capabilities(granite, {}, answers))
        assert (fp16.usable, fp16.state) == (False, state)
        assert f"Linux does not list amx_fp16 in /proc/cpuinfo; {told}" in fp16.reason
    assert one("amx-fp16", capabilities(granite, {}, replace(ANSWERS, amx_fp16=True))).usable


def test_amx_that_onednn_cannot_use() -> None:
    bare = cpu(f"{AVX512} avx512_vnni avx512_bf16 amx_tile amx_bf16 amx_int8")
    amx = one("amx-bf16", capabilities(bare, {}, None))
    assert (amx.usable, amx.state) == (False, State.UNUSED)
    assert amx.reason.endswith("only together with avx512_fp16, avx_vnni, absent here")


def test_permission_refused_takes_amx_alone() -> None:
    refused = replace(ANSWERS, amx_permission=Permission(granted=False, reason="Operation not permitted"))
    found = capabilities(AMX, {}, refused)
    assert {"amx-bf16", "amx-int8"}.isdisjoint(usable(found))
    assert "avx512-fp16" in usable(found)
    assert one("amx-int8", found).reason == "refused: the kernel gave no tile registers: Operation not permitted"


@pytest.mark.parametrize(
    ("value", "left"),
    [
        ("SSE41", set()),
        ("AVX2", {"avx2"}),
        ("AVX2_VNNI", {"avx2", "avx-vnni"}),
        ("AVX512_CORE", {"avx2", "avx512"}),
        ("AVX512_CORE_VNNI", {"avx2", "avx512", "avx512-vnni"}),
        ("avx512_core_bf16", {"avx2", "avx512", "avx512-vnni", "avx512-bf16"}),
        ("AVX10_1_512", set(NAMES) - {"amx-bf16", "amx-int8", "amx-fp16"}),
        ("AVX512_CORE_AMX", set(NAMES) - {"amx-fp16"}),
        ("DEFAULT", set(NAMES) - {"amx-fp16"}),
        ("AVX512_TYPO", set(NAMES) - {"amx-fp16"}),  # oneDNN ignores what it does not know
        ("", set(NAMES) - {"amx-fp16"}),
    ],
)
@pytest.mark.parametrize("variable", ["ONEDNN_MAX_CPU_ISA", "DNNL_MAX_CPU_ISA"])
def test_capped_by_onednn_s_variable(variable: str, value: str, left: set[str]) -> None:
    found = capabilities(AMX, {variable: value}, STOCK)
    assert usable(found) == left
    for capability in found:
        if capability.name not in left | {"amx-fp16"}:
            assert capability.reason == f"capped: in /proc/cpuinfo, but switched off by {variable}={value}"
            assert capability.remedy == f"unset {variable}"


def test_onednn_prefers_its_new_name() -> None:
    cap = onednn_cap({"DNNL_MAX_CPU_ISA": "AVX2", "ONEDNN_MAX_CPU_ISA": "AVX512_CORE"})
    assert cap is not None
    assert (cap.variable, cap.value) == ("ONEDNN_MAX_CPU_ISA", "AVX512_CORE")


@pytest.mark.parametrize(
    ("answers", "reaches"),
    [
        (ANSWERS, True),
        (STOCK, False),
        (None, True),
        (replace(ANSWERS, ipex_import_error="ImportError: libintel"), False),
    ],
)
def test_aten_cap_reaches_onednn_through_ipex_alone(answers: StackAnswers | None, reaches: bool) -> None:
    amx = one("amx-bf16", capabilities(AMX, {"ATEN_CPU_CAPABILITY": "avx512"}, answers))
    assert amx.usable is not reaches
    assert ("capped: in /proc/cpuinfo, but switched off by ATEN_CPU_CAPABILITY=avx512 in ipex" in amx.reason) is reaches


def test_the_stack_s_own_no_counts() -> None:
    amx = one("amx-bf16", capabilities(AMX, {}, replace(STOCK, amx_tile=False)))
    assert amx.reason == "denied: in /proc/cpuinfo, but torch.cpu._is_amx_tile_supported() says no"
    found = capabilities(AMX, {}, replace(ANSWERS, ipex_onednn_isa="AVX512_VNNI"))
    assert usable(found) == {"avx2", "avx512", "avx512-vnni"}
    unheard_of = replace(ANSWERS, ipex_onednn_isa="AVX99")
    assert usable(capabilities(AMX, {}, unheard_of)) == set(NAMES) - {"amx-fp16"}


def test_required_amx_means_both_types() -> None:
    only_bf16 = cpu(f"{AVX512} {ABOVE} amx_tile amx_bf16")
    assert missing("amx", capabilities(AMX, {}, None)) == ()
    assert [item.name for item in missing("amx", capabilities(only_bf16, {}, None))] == [
        "amx-bf16",
        "amx-int8",
    ]
    assert missing("avx512-bf16", capabilities(only_bf16, {}, None)) == ()


def test_unknown_requirement_lists_the_valid_names() -> None:
    with pytest.raises(PerfsuiteError, match=r"'axm'; the valid names are amx, amx-bf16, .*avx2"):
        missing("axm", ())
