"""`perfsuite doctor`: what it prints, where, and its exit status."""

import io
import json
from collections.abc import Callable, Mapping
from dataclasses import asdict
from pathlib import Path

import pytest
from rich.console import Console

from perfsuite.commands import doctor as command
from perfsuite.errors import PerfsuiteError
from perfsuite.machine.doctor import Report, examine
from perfsuite.machine.finding import Finding, Level
from perfsuite.machine.stack import ProbeFailure
from perfsuite.report.doctor import doctor_json, render_doctor

FLAGS = "avx2 fma avx512f avx512bw avx512vl avx512dq avx512_vnni"
FAILURE = ProbeFailure(reason="ended with exit status 1", stderr_tail=("boom [red]",))


@pytest.fixture
def report(tmp_path: Path) -> Report:
    """Of an Emerald Rapids virtual machine without AMX, whose stack does not answer."""
    (tmp_path / "proc").mkdir()
    (tmp_path / "proc/cpuinfo").write_text(
        f"vendor_id : GenuineIntel\ncpu family : 6\nmodel : 207\nmodel name : Xeon [bold]\nflags : hypervisor {FLAGS}\n"
    )
    return examine(tmp_path, {}, FAILURE, affinity={0}, sleep=lambda seconds: None)


@pytest.fixture
def doctor(monkeypatch: pytest.MonkeyPatch, report: Report) -> Callable[[list[str], bool], int]:
    """The command on that machine."""
    monkeypatch.setattr("perfsuite.machine.stack.run_probe", lambda environ: FAILURE)
    monkeypatch.setattr("perfsuite.machine.doctor.examine", lambda root, environ, probe, wish: report)
    return command.doctor_command


Doctor = Callable[[list[str], bool], int]


@pytest.mark.parametrize(
    ("require", "status"), [([], 0), (["avx512-vnni"], 0), (["amx"], 1), (["avx512-vnni", "avx512-bf16"], 1)]
)
def test_exit_status(doctor: Doctor, require: list[str], status: int) -> None:
    assert doctor(require, False) == status


def test_what_is_missing_and_why_goes_to_stderr(doctor: Doctor, capsys: pytest.CaptureFixture[str]) -> None:
    doctor(["amx", "avx2"], False)
    lines = capsys.readouterr().err.splitlines()
    assert [line.partition(" is not usable")[0] for line in lines] == [
        "required amx: amx-bf16",
        "required amx: amx-int8",
    ]
    assert "likelier by the hypervisor" in lines[0]
    assert "to change it: give the virtual machine the host's processor" in lines[0]


def test_unknown_requirement_before_anything_is_measured(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("perfsuite.machine.stack.run_probe", lambda environ: pytest.fail("measured"))
    with pytest.raises(PerfsuiteError, match="unknown requirement 'sse9'; the valid names are amx,"):
        command.doctor_command(["avx2", "sse9"], False)


@pytest.mark.parametrize(("setting", "expected"), [("", "mine.so"), ("preload = ['libc.so.6']", "libc.so.6:mine.so")])
def test_the_setting_s_libraries_are_in_the_stack_that_is_asked_and_in_the_findings(
    setting: str, expected: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, report: Report
) -> None:
    asked: list[str] = []

    def probe(environ: Mapping[str, str]) -> ProbeFailure:
        asked.append(environ["LD_PRELOAD"])
        return FAILURE

    def examined(root: Path, environ: Mapping[str, str], *_: object, **__: object) -> Report:
        asked.append(environ["LD_PRELOAD"])
        return report

    monkeypatch.setattr("perfsuite.machine.stack.run_probe", probe)
    monkeypatch.setattr("perfsuite.machine.doctor.examine", examined)
    (tmp_path / "pyproject.toml").write_text(f"[tool.perfsuite]\n{setting}\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("LD_PRELOAD", "mine.so")
    assert command.doctor_command([], False) == 0
    assert asked == [expected, expected]


def test_json_is_alone_on_stdout(doctor: Doctor, capsys: pytest.CaptureFixture[str]) -> None:
    assert doctor(["amx"], True) == 1
    assert json.loads(capsys.readouterr().out)["schema"] == 1


def test_json_round_trip(report: Report) -> None:
    document = json.loads(doctor_json(report))
    assert document["capabilities"] == [
        {"name": one.name, "usable": one.usable, "state": one.state, "reason": one.reason, "remedy": one.remedy}
        for one in report.capabilities
    ]
    assert document["capabilities"][0]["state"] == "hidden"
    findings = tuple(Finding(**item | {"level": Level(item["level"])}) for item in document["findings"])
    assert findings == report.findings
    assert frozenset(document["cpu"]["flags"]) == report.cpu.flags
    assert document["cpu"]["one_cpu_per_core"] == [0]
    assert document["stack"] is None
    assert document["stack_failure"] == {**asdict(FAILURE), "stderr_tail": ["boom [red]"]}


def test_text_shows_every_finding_with_its_remedy(report: Report) -> None:
    output = io.StringIO()
    render_doctor(report, Console(file=output, width=500))
    text = output.getvalue()
    assert text.startswith("Xeon [bold]\n")
    assert "boom [red]" in text
    for finding in report.findings:
        assert finding.summary in text
        assert finding.remedy in text
    warnings = sum(finding.level is Level.WARNING for finding in report.findings)
    assert text.endswith(f"{warnings} warnings\n")
    assert warnings > 1
