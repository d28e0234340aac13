"""`perfsuite compare` on a tiny model: real workers of two stacks, which here share one interpreter."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from project import SETTINGS

from perfsuite.cli import main
from perfsuite.selfcheck.processes import living

_TINY = ("-k", "tiny and eager and fp32", "--workload", "smoke")
_STACKS = f"""
[tool.perfsuite.stacks.same]
interpreter = "{sys.executable}"
[tool.perfsuite.stacks.other-variables]
interpreter = "{sys.executable}"
environment = {{ ONEDNN_MAX_CPU_ISA = "DEFAULT" }}
[tool.perfsuite.stacks.no-torch]
interpreter = "{sys.base_prefix}/bin/python3"
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "pyproject.toml").write_text(SETTINGS + _STACKS)
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parent))
    return tmp_path


def _command(*arguments: str) -> list[str]:
    return [str(Path(sys.executable).with_name("perfsuite")), "compare", *arguments]


def _run(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(_command(*arguments), cwd=folder, capture_output=True, text=True, timeout=300, check=False)


def _report(folder: Path) -> Any:
    return json.loads((folder / "out.json").read_text())["report"]


def test_a_stack_against_itself_agrees_to_the_bit_and_is_not_different(folder: Path) -> None:
    done = _run(
        folder,
        "current:stock",
        "other-variables:stock",
        *_TINY,
        "--resolution",
        "50%",
        "--output",
        "out.json",
        "--output",
        "out.md",
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "unchanged" in done.stdout
    assert "equal" in done.stdout
    (row,) = _report(folder)["rows"]
    assert row["examination"]["agreement"]["max_error"] == 0.0
    assert "ONEDNN_MAX_CPU_ISA" in json.dumps(row["explanation"]["notes"])  # its environment reached the workers
    assert len(row["pairs"]) >= 4
    for pair in row["pairs"]:
        for side in (pair["baseline"], pair["candidate"]):
            assert len(side["blocks"]) >= 8
            # The other worker, stopped, does nothing: less than a clock tick.
            assert all(block["conditions"]["idle_cpu_s"] <= 0.011 for block in side["blocks"])
    assert "| eager fp32 |" in (folder / "out.md").read_text()


def test_a_killed_comparison_resumes_with_what_it_had(folder: Path) -> None:
    arguments = ("current:stock", "same:stock", *_TINY, "--resolution", "50%", "--output", "out.json")
    first = subprocess.Popen(_command(*arguments), cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    deadline_s = time.monotonic() + 300
    journals = folder / ".perfsuite" / "compare"
    while not any('{"Pair"' in path.read_text() for path in journals.glob("*.jsonl")):
        assert time.monotonic() < deadline_s, "no pair was journalled"
        assert first.poll() is None, "it ended by itself"
        time.sleep(0.1)
    os.kill(first.pid, signal.SIGKILL)
    first.wait()
    (journal,) = journals.glob("*.jsonl")
    kept = journal.read_text().count('{"Pair"')
    done = _run(folder, *arguments, "--resume")
    assert done.returncode == 0, done.stdout + done.stderr
    assert list(journals.glob("*.jsonl")) == [journal]
    assert journal.read_text().count('{"Examination"') == 1
    (row,) = _report(folder)["rows"]
    assert len(row["pairs"]) == journal.read_text().count('{"Pair"') >= kept + 1


def test_a_worker_killed_from_outside_costs_its_pairing_until_the_comparison_is_resumed(folder: Path) -> None:
    arguments = ("current:stock", "same:stock", *_TINY, "--resolution", "50%", "--output", "out.json")
    first = subprocess.Popen(_command(*arguments), cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    launchers: set[int] = set()
    workers: set[int] = set()
    while not workers:
        assert first.poll() is None, "it ended by itself"
        launchers = {one.pid for one in living() if one.parent == first.pid and "perfsuite.worker" in one.command}
        workers = {one.pid for one in living() if one.parent in launchers}
    os.kill(workers.pop(), signal.SIGKILL)
    assert first.wait(timeout=300) == 1
    (row,) = _report(folder)["rows"]
    assert "killed by SIGKILL" in row["outcome"]["failure"]
    done = _run(folder, *arguments, "--resume")
    assert done.returncode == 0, done.stdout + done.stderr
    (row,) = _report(folder)["rows"]
    assert row["outcome"]["failure"] == ""


def test_a_side_that_crashes_is_an_error_with_its_reason(folder: Path) -> None:
    selection = ("-k", "crash and eager and fp32", "--workload", "smoke")
    done = _run(folder, "current:stock", "same:stock", *selection, "--output", "out.json")
    assert done.returncode == 1
    (row,) = _report(folder)["rows"]
    assert row["outcome"]["verdict"] == "error"
    assert "killed by SIGSEGV" in row["outcome"]["failure"]
    assert "killed by SIGSEGV" in done.stdout


def test_what_only_one_stack_supports_is_told_with_its_reason(folder: Path) -> None:
    done = _run(folder, "current:stock", "no-torch", *_TINY)
    assert done.returncode == 1
    assert "lost (1), not in B" in done.stdout
    assert "not in B: torch is not installed" in " ".join(done.stdout.split())


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("current", "nowhere"), "no stack nowhere"),
        (("current", "same:onnx"), "no backend onnx"),
        (("current", "same", "-k", "tiny and"), "no expression"),
        (("current", "same", "-k", "no-such-model"), "selects no variant"),
        (("current", "same", "--workload", "weekend"), "no workload weekend"),
        (("current", "same", "--resolution", "200%"), "not between 0 and 100 %"),
        (("current", "same", "--budget", "soon"), "is no time"),
        (("current", "same", "--output", "report.xls"), "the ending says"),
        (("current", "same", "--resume"), "there is no journal"),
    ],
)
def test_what_cannot_be_meant_is_refused_in_one_line(
    folder: Path,
    arguments: tuple[str, ...],
    words: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(folder)
    monkeypatch.syspath_prepend(str(Path(__file__).parent))
    with pytest.raises(SystemExit) as ended:  # argparse ends by itself
        raise SystemExit(main(["compare", *arguments]))
    assert ended.value.code == 2
    said = capsys.readouterr().err
    assert words in said
    assert "Traceback" not in said


def test_a_subfolder_has_its_projects_stacks_and_journals(folder: Path) -> None:
    (folder / "below").mkdir()
    done = _run(folder / "below", "current", "same", *_TINY, "--resume")
    assert f"there is no journal in {folder / '.perfsuite' / 'compare'};" in done.stderr
