"""Reading the processor: every shape of cpuinfo met in the field, the topology, and which cpus to pin to."""

from pathlib import Path

import pytest

from perfsuite.errors import PerfsuiteError
from perfsuite.machine.cpu import one_cpu_per_core, parse_cpuinfo, read_cpu
from perfsuite.machine.sysfs import parse_cpu_list

# Two cores with two threads each; Linux numbers the second threads after all first ones.
PADDED_WITH_SPACES = "\n\n".join(
    f"""processor       : {number}
vendor_id       : GenuineIntel
cpu family      : 6
model           : 143
model name      : Intel(R) Xeon(R) Test 9000Z
physical id     : 0
core id         : {number % 2}
flags           : fpu sse2 vme avx2 fma avx512f amx_tile amx_bf16 amx_int8 avx_vnni
vmx flags       : amx_never_here"""
    for number in range(4)
)
PADDED_WITH_TABS = """processor\t: 0
vendor_id\t: AuthenticAMD
cpu family\t: 25
model\t\t: 17
model name\t: AMD EPYC 1234 7-Core Processor
flags\t\t: fpu ht avx2 fma avx512f avx512_bf16 hypervisor f16c
bugs\t\t: spectre_v1

"""
FRAGMENT = "model name : INTEL(R) XEON(R) TEST 1\nflags : avx2 hypervisor\n"
ARM = "processor\t: 0\nBogoMIPS\t: 50.00\nFeatures\t: fp asimd sve bf16\n"


def tree(root: Path, cpuinfo: str, files: dict[str, str]) -> Path:
    for name, text in {"proc/cpuinfo": cpuinfo, **files}.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return root


def test_fields_padded_with_spaces() -> None:
    cpu = parse_cpuinfo(PADDED_WITH_SPACES)
    assert (cpu.model_name, cpu.vendor, cpu.family, cpu.model) == (
        "Intel(R) Xeon(R) Test 9000Z",
        "GenuineIntel",
        6,
        143,
    )
    assert (cpu.logical_cpus, cpu.physical_cores, cpu.smt, cpu.hypervisor) == (4, 2, True, False)
    assert cpu.flags == {"avx2", "fma", "avx512f", "amx_tile", "amx_bf16", "amx_int8", "avx_vnni"}


def test_fields_padded_with_tabs() -> None:
    cpu = parse_cpuinfo(PADDED_WITH_TABS)
    assert (cpu.vendor, cpu.family, cpu.model, cpu.hypervisor) == ("AuthenticAMD", 25, 17, True)
    assert cpu.flags == {"avx2", "fma", "f16c", "avx512f", "avx512_bf16"}


def test_missing_fields_are_unknown_not_wrong() -> None:
    cpu = parse_cpuinfo(FRAGMENT)
    assert (cpu.vendor, cpu.family, cpu.model) == ("", None, None)
    assert (cpu.logical_cpus, cpu.physical_cores, cpu.numa_nodes, cpu.usable_cpus) == (1, 1, 1, (0,))


def test_no_flags_line_is_one_clear_error() -> None:
    with pytest.raises(PerfsuiteError, match="no flags line: perfsuite measures x86-64"):
        parse_cpuinfo(ARM)


def test_a_flag_counts_only_if_every_cpu_has_it() -> None:
    second = PADDED_WITH_TABS.replace("avx512_bf16 ", "").replace(": 0", ": 1")
    assert "avx512_bf16" not in parse_cpuinfo(PADDED_WITH_TABS + second).flags


def test_cpuinfo_alone_gives_one_cpu_of_each_core_first() -> None:
    cpu = parse_cpuinfo(PADDED_WITH_SPACES)
    assert cpu.usable_cpus == (0, 1, 2, 3)
    assert one_cpu_per_core(cpu) == (0, 1)


def test_sys_decides_the_topology_and_the_nodes(tmp_path: Path) -> None:
    siblings = {0: "0-1", 1: "0-1", 2: "2-3", 3: "2-3"}
    files = {
        f"sys/devices/system/cpu/cpu{number}/topology/thread_siblings_list": text for number, text in siblings.items()
    }
    files |= {
        "sys/devices/system/node/node0/cpulist": "2-3\n",
        "sys/devices/system/node/node1/cpulist": "0-1\n",
        "sys/devices/system/node/node2/cpulist": "\n",  # memory without cpus
        "proc/sys/kernel/osrelease": "6.1.2-test\n",
    }
    cpu = read_cpu(tree(tmp_path, PADDED_WITH_SPACES, files), affinity={0, 1, 2, 3})
    assert (cpu.physical_cores, cpu.numa_nodes, cpu.kernel) == (2, 2, "6.1.2-test")
    assert cpu.usable_cpus == (2, 0, 3, 1)  # node 0 first, then the second threads
    assert one_cpu_per_core(cpu) == (2, 0)


def test_affinity_leaves_out_cores(tmp_path: Path) -> None:
    cpu = read_cpu(tree(tmp_path, PADDED_WITH_SPACES, {}), affinity={1, 3})
    assert (cpu.logical_cpus, cpu.usable_cpus, one_cpu_per_core(cpu)) == (4, (1, 3), (1,))


def test_affinity_defaults_to_the_kernel_s(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.sched_getaffinity", lambda pid: {3})
    assert read_cpu(tree(tmp_path, PADDED_WITH_SPACES, {})).usable_cpus == (3,)


def test_no_proc_is_an_error_that_names_the_file(tmp_path: Path) -> None:
    with pytest.raises(PerfsuiteError, match=r"cannot read .*proc/cpuinfo"):
        read_cpu(tmp_path)


@pytest.mark.parametrize(
    ("text", "numbers"), [("0-3,8", (0, 1, 2, 3, 8)), ("5\n", (5,)), ("\n", ()), ("1,3-4", (1, 3, 4))]
)
def test_cpu_list(text: str, numbers: tuple[int, ...]) -> None:
    assert parse_cpu_list(text) == numbers
