"""The doctor on a made-up /proc and /sys: what is fine, what is worth a note, what is a warning."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

import pytest
from builders import ANSWERS

from perfsuite.machine.doctor import Report, examine
from perfsuite.machine.finding import Finding, Level
from perfsuite.machine.groups import quota_cpus
from perfsuite.machine.stack import ProbeFailure
from perfsuite.records.machine import StackAnswers, Versions
from perfsuite.records.placement import Binding

FLAGS = "avx2 fma avx512f avx512bw avx512vl avx512dq avx512_vnni avx512_bf16 avx512_fp16 avx_vnni"
CPU = "sys/devices/system/cpu"
# Two cores of two threads on bare metal, nothing to complain about.
QUIET = {
    "proc/cpuinfo": "\n\n".join(
        f"processor : {number}\nvendor_id : GenuineIntel\ncpu family : 6\nmodel : 143\nmodel name : Test\n"
        f"physical id : 0\ncore id : {number // 2}\nflags : {FLAGS} amx_tile amx_bf16 amx_int8"
        for number in range(4)
    ),
    "proc/loadavg": "0.40 0.20 0.10 1/99 1234",
    "proc/meminfo": "MemAvailable: 50331648 kB\nSwapTotal: 1048576 kB\nSwapFree: 1048576 kB",
    "proc/stat": "cpu  100 0 50 1000 5 0 1 0 0 0\ncpu0 100 0 50 1000 5 0 1 0 0 0",
    "proc/self/cgroup": "0::/a/b",
    "proc/sys/kernel/osrelease": "6.1.0",
    "sys/fs/cgroup/a/b/cpu.max": "max 100000",
    "sys/kernel/mm/transparent_hugepage/enabled": "always [madvise] never",
    "sys/devices/system/node/node0/cpulist": "0-3",
    f"{CPU}/intel_pstate/no_turbo": "1",
    **{f"{CPU}/cpu{number}/cpufreq/scaling_governor": "performance" for number in range(4)},
}
CALM = {"OMP_WAIT_POLICY": "passive"}

Examine = Callable[..., Report]


@pytest.fixture
def examined(tmp_path: Path) -> Examine:
    """Examine QUIET with some files changed (None: absent), and whatever else differs."""

    def examined(
        changed: Mapping[str, str | None] | None = None,
        environ: Mapping[str, str] = CALM,
        probe: StackAnswers | ProbeFailure | None = ANSWERS,
        affinity: set[int] | None = None,
        sleep: Callable[[float], None] = lambda seconds: None,
        binding: Binding = Binding.BOUND,
    ) -> Report:
        for name, text in (QUIET | dict(changed or {})).items():
            path = tmp_path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.unlink(missing_ok=True)
            if text is not None:
                path.write_text(text + "\n")
        return examine(tmp_path, environ, probe, affinity=affinity or {0, 1, 2, 3}, sleep=sleep, bind=lambda _: binding)

    return examined


def about(topic: str, report: Report) -> Finding:
    (finding,) = [finding for finding in report.findings if finding.topic == topic]
    return finding


def test_a_quiet_machine_has_no_warning(examined: Examine) -> None:
    report = examined()
    assert [finding for finding in report.findings if finding.level is Level.WARNING] == []
    assert {finding.topic for finding in report.findings if finding.level is Level.NOTE} == {
        "amx-fp16",
        "SMT",
    }
    assert about("cores", report).summary == "2 cores, 4 logical cpus, all usable"


@pytest.mark.parametrize(
    ("topic", "changed", "level", "words"),
    [
        ("cpu quota", {"sys/fs/cgroup/a/b/cpu.max": "150000 100000"}, "warning", "1.5 cpus for 4"),
        ("cpu quota", {"sys/fs/cgroup/a/cpu.max": "50000 100000"}, "warning", "0.5 cpus for 4"),
        ("cpu quota", {"sys/fs/cgroup/a/b/cpu.max": "400000 100000"}, "ok", "enough"),
        (
            "cpu quota",
            {"sys/fs/cgroup/a/b/cpu.max": "300000 100000", "sys/fs/cgroup/a/cpu.max": "200000 100000"},
            "warning",
            "2 cpus for 4",
        ),
        ("cpu quota", {"proc/self/cgroup": None}, "note", "cannot be read"),
        ("governor", {f"{CPU}/cpu3/cpufreq/scaling_governor": "powersave"}, "warning", "powersave"),
        (
            "governor",
            {f"{CPU}/cpu{n}/cpufreq/scaling_governor": None for n in range(4)},
            "note",
            "no cpufreq",
        ),
        ("turbo", {f"{CPU}/intel_pstate/no_turbo": "0"}, "note", "on: "),
        ("turbo", {f"{CPU}/intel_pstate/no_turbo": None, f"{CPU}/cpufreq/boost": "1"}, "note", "on: "),
        ("turbo", {f"{CPU}/intel_pstate/no_turbo": None, f"{CPU}/cpufreq/boost": "0"}, "ok", "off"),
        ("turbo", {f"{CPU}/intel_pstate/no_turbo": None}, "note", "not shown"),
        (
            "huge pages",
            {"sys/kernel/mm/transparent_hugepage/enabled": "always madvise [never]"},
            "note",
            "are off",
        ),
        ("huge pages", {"sys/kernel/mm/transparent_hugepage/enabled": None}, "note", "not shown"),
        ("load", {"proc/loadavg": "1.01 0 0 1/9 9"}, "warning", "load average 1.01"),
        ("load", {"proc/loadavg": "1.00 0 0 1/9 9"}, "ok", "load average 1"),
        ("load", {"proc/loadavg": None}, "note", "cannot be read"),
        ("memory", {"proc/meminfo": "MemAvailable: 4194304 kB"}, "warning", "4.0 GiB available"),
        ("memory", {"proc/meminfo": None}, "note", "cannot be read"),
        (
            "swap",
            {"proc/meminfo": "MemAvailable: 50331648 kB\nSwapTotal: 204800 kB\nSwapFree: 102400 kB"},
            "warning",
            "100 MiB",
        ),
        ("virtualisation", {"proc/stat": None}, "note", "steal time is unknown"),
        ("virtualisation", {"proc/cpuinfo": f"flags : hypervisor {FLAGS}"}, "note", "a virtual machine"),
    ],
)
def test_host(examined: Examine, topic: str, changed: dict[str, str | None], level: str, words: str) -> None:
    finding = about(topic, examined(changed))
    assert finding.level == level
    assert words in finding.summary


@pytest.mark.parametrize(
    ("binding", "memory", "level", "words"),
    [
        (Binding.BOUND, "0-1", "ok", "run on 0, with memory bound to it"),
        (Binding.ABSENT, "0-1", "note", "not bound"),
        (Binding.REFUSED, "0-1", "note", "may not bind"),
        (Binding.BOUND, "1-2", "warning", "all of it is remote"),
    ],
)
def test_numa(examined: Examine, binding: Binding, memory: str, level: str, words: str) -> None:
    nodes = {"has_memory": memory, "node0/cpulist": "0-1", "node1/cpulist": "2-3", "node2/cpulist": ""}
    changed = {f"sys/devices/system/node/{name}": text for name, text in nodes.items()}
    finding = about("NUMA", examined(changed, binding=binding))
    assert finding.level == level
    assert words in finding.summary


@pytest.mark.parametrize(("stolen", "level"), [(5, "warning"), (1, "ok")])
def test_steal_time_is_sampled(examined: Examine, tmp_path: Path, stolen: int, level: str) -> None:
    windows: list[float] = []

    def sleep(seconds: float) -> None:
        windows.append(seconds)
        (tmp_path / "proc/stat").write_text(f"cpu  110 0 50 1065 5 0 1 {stolen} 0 0\n")

    finding = about("virtualisation", examined(sleep=sleep))
    assert (finding.level, windows) == (level, [0.2])
    assert ("6%" in finding.summary) is (level == "warning")


def test_quota_of_the_first_control_group_version(tmp_path: Path) -> None:
    group = tmp_path / "sys/fs/cgroup/cpu/job"
    group.mkdir(parents=True)
    (group / "cpu.cfs_quota_us").write_text("250000\n")
    (group / "cpu.cfs_period_us").write_text("100000\n")
    (tmp_path / "proc/self").mkdir(parents=True)
    (tmp_path / "proc/self/cgroup").write_text("4:cpuset:/\n3:cpu,cpuacct:/job\n0::/\n")
    assert quota_cpus(tmp_path) == 2.5
    (group / "cpu.cfs_quota_us").write_text("-1\n")
    assert quota_cpus(tmp_path) is None


def test_affinity_smaller_than_the_machine(examined: Examine) -> None:
    finding = about("cores", examined(affinity={0, 1}))
    assert finding.level == "note"
    assert "may use 2 of them, on 1 core" in finding.summary


@pytest.mark.parametrize(
    ("topic", "environ", "changed", "words"),
    [
        ("SMT", {}, {"threads": 3}, "3 threads share 2 cores"),
        ("threads", {}, {"threads": 5}, "5 threads on 2 usable cores"),
        ("threads", {}, {"threads": 1}, "one core works"),
        ("affinity", {"GOMP_CPU_AFFINITY": "0 2"}, {}, "pt#149422"),
        ("caps", {"ONEDNN_MAX_CPU_ISA": "AVX2"}, {}, "ONEDNN_MAX_CPU_ISA=AVX2 limits"),
        ("caps", {"ONEDNN_MAX_CPU_ISA": "AVX3"}, {}, "ONEDNN_MAX_CPU_ISA=AVX3 is no value it knows"),
        ("caps", {"ATEN_CPU_CAPABILITY": "default"}, {}, "limits"),
        ("OpenMP", {}, {"openmp_runtimes": ("/x/libgomp.so.1", "/y/libiomp5.so")}, "pt#98836"),
        ("amx-bf16", {"DNNL_MAX_CPU_ISA": "AVX2"}, {}, "switched off by DNNL_MAX_CPU_ISA=AVX2"),
        ("stack", {}, {"torch_import_error": "OSError: libtorch_cpu.so"}, "does not import: OSError"),
        (
            "ipex",
            {},
            {"ipex_import_error": "ImportError: libintel"},
            "does not import: ImportError: libintel",
        ),
    ],
)
def test_warnings_about_the_process_and_the_stack(
    examined: Examine, topic: str, environ: dict[str, str], changed: dict[str, object], words: str
) -> None:
    finding = about(topic, examined(environ=CALM | environ, probe=replace(ANSWERS, **changed)))  # type: ignore[arg-type]
    assert finding.level is Level.WARNING
    assert words in finding.summary


def test_one_thread_on_request_is_no_warning(examined: Examine) -> None:
    report = examined(environ=CALM | {"OMP_NUM_THREADS": "1"}, probe=replace(ANSWERS, threads=1))
    assert about("threads", report).level is Level.OK


def test_threads_follow_the_variable_when_no_stack_answers(examined: Examine) -> None:
    assert about("threads", examined(environ={"OMP_NUM_THREADS": "9,2"}, probe=None)).level is Level.WARNING
    assert about("threads", examined(environ={"OMP_NUM_THREADS": "many"}, probe=None)).level is Level.NOTE


def test_ipex_for_another_torch_says_so(examined: Examine) -> None:
    probe = replace(
        ANSWERS,
        versions=replace(ANSWERS.versions, ipex="2.7.0"),
        ipex_import_error="AttributeError: module 'os' has no attribute 'exit'",
    )
    finding = about("ipex", examined(probe=probe))
    assert "it needs torch 2.7, and this is 2.8.0" in finding.summary
    assert finding.remedy == "pip install 'torch==2.7.*'"


@pytest.mark.parametrize(
    ("topic", "environ", "changed"),
    [
        ("spinning", {}, {"openmp_runtimes": ("/x/libiomp5.so",)}),
        ("spinning", {}, {"openmp_runtimes": ("/x/libgomp-1a2b.so.1",)}),
        ("allocator", CALM, {"allocator": "glibc"}),
        ("ipex", CALM, {"versions": Versions(python="3.12.0", torch="2.14.0")}),
        ("stack", CALM, {"versions": Versions(python="3.12.0")}),
    ],
)
def test_notes_about_the_stack_have_a_remedy(
    examined: Examine, topic: str, environ: dict[str, str], changed: dict[str, object]
) -> None:
    finding = about(topic, examined(environ=environ, probe=replace(ANSWERS, **changed)))  # type: ignore[arg-type]
    assert finding.level is Level.NOTE
    assert finding.remedy


def test_what_is_preloaded_is_told(examined: Examine) -> None:
    found = about("preload", examined(environ={**CALM, "LD_PRELOAD": "libjemalloc.so.2:/opt/libmine.so"}))
    assert (found.level, found.summary) == ("ok", "before all other libraries: libjemalloc.so.2, /opt/libmine.so")
    assert "preload" not in {finding.topic for finding in examined().findings}


def test_a_failed_probe_is_a_warning_with_its_last_lines(examined: Examine) -> None:
    failure = ProbeFailure(reason="was ended by signal SIGILL", stderr_tail=("one", "two"))
    report = examined(probe=failure)
    assert about("stack", report).level is Level.WARNING
    assert "was ended by signal SIGILL; its last lines: one | two" in about("stack", report).summary
    assert about("amx-bf16", report).level is Level.OK  # cpuinfo still speaks


def test_a_warning_without_a_remedy_cannot_be_made() -> None:
    with pytest.raises(ValueError, match="needs a remedy"):
        Finding(topic="x", level=Level.WARNING, summary="bad")
