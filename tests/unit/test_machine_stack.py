"""The probe and the process it runs in: real processes, no torch."""

import json
import os
import platform
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from perfsuite.machine.stack import PROBE, ProbeFailure, run_probe
from perfsuite.records.machine import StackAnswers, stack_answers
from perfsuite.worker.probe import allocator, mapped_files, openmp_runtimes

MAPS = """\
55d0a000-55d0b000 r--p 00000000 08:01 77 /opt/py/bin/python3
7f00a000-7f00b000 r--p 00000000 08:01 78 /opt/py/torch/lib/libgomp-a1b2c3d4.so.1
7f00b000-7f00c000 r-xp 00001000 08:01 78 /opt/py/torch/lib/libgomp-a1b2c3d4.so.1
7f00c000-7f00d000 r-xp 00000000 08:01 79 /opt/my dir/libiomp5.so
7f00d000-7f00e000 r-xp 00000000 08:01 80 /usr/lib/libjemalloc.so.2 (deleted)
7f00e000-7f00f000 rw-p 00000000 00:00 0
7ffc0000-7ffd0000 rw-p 00000000 00:00 0  [stack]
"""


def interpreter(folder: Path, script: str) -> str:
    path = folder / "python"
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return str(path)


def test_a_real_probe_without_site_packages_finds_no_stack(tmp_path: Path) -> None:
    answers = run_probe(interpreter(tmp_path, f'exec "{sys.executable}" -S -E "$@"'))
    assert isinstance(answers, StackAnswers)
    assert answers.versions.python == platform.python_version()
    assert (answers.versions.torch, answers.torch_import_error, answers.threads) == (None, "", None)
    assert answers.trial is None
    assert answers.amx_permission.granted or answers.amx_permission.reason


def test_a_stack_that_fails_to_import_is_reported_as_text(tmp_path: Path) -> None:
    (tmp_path / "torch.py").write_text("print('noise on stdout')\nimport missing_piece\n")
    python = interpreter(tmp_path, f'PYTHONPATH="{tmp_path}" exec "{sys.executable}" -S "$@"')
    answers = run_probe(python)
    assert isinstance(answers, StackAnswers)
    assert answers.torch_import_error == "ModuleNotFoundError: No module named 'missing_piece'"


def test_a_stack_that_answers_is_quoted(tmp_path: Path) -> None:
    (tmp_path / "torch.py").write_text("def get_num_threads():\n    return 7\n")
    (tmp_path / "intel_extension_for_pytorch.py").write_text("import sys\nsys.exit(127)\n")
    python = interpreter(tmp_path, f'PYTHONPATH="{tmp_path}" exec "{sys.executable}" -S "$@"')
    answers = run_probe(python)
    assert isinstance(answers, StackAnswers)
    assert (answers.threads, answers.amx_tile, answers.ipex_import_error) == (7, None, "SystemExit: 127")


def test_module_form_writes_to_the_given_descriptor() -> None:
    command = [sys.executable, "-S", "-m", "perfsuite.worker.probe", "--output-fd", "1"]
    environ = {"PYTHONPATH": str(PROBE.parents[2])}
    text = subprocess.run(command, env=environ, capture_output=True, text=True, check=True, timeout=300).stdout
    answered, tried = text.splitlines()
    assert stack_answers(json.loads(answered)).versions.python == platform.python_version()
    assert json.loads(tried) is None  # no torch, nothing to multiply with


@pytest.mark.parametrize(
    ("script", "reason", "tail"),
    [
        ("for i in 1 2 3 4 5 6; do echo line $i >&2; done; exit 3", "ended with exit status 3", "line 6"),
        ("echo dying >&2; kill -SEGV $$", "was ended by signal SIGSEGV", "dying"),
        ("echo slow >&2; sleep 30", "gave no answer within 0 s", "slow"),
        ("echo quiet >&2", "wrote what is not an answer", "quiet"),
    ],
)
def test_a_failing_probe_is_a_record_with_its_last_lines(tmp_path: Path, script: str, reason: str, tail: str) -> None:
    timeout_s = 0.3 if "sleep" in script else 300.0
    failure = run_probe(interpreter(tmp_path, script), timeout_s)
    assert isinstance(failure, ProbeFailure)
    assert failure.reason.startswith(reason)
    assert failure.stderr_tail[-1] == tail
    assert len(failure.stderr_tail) <= 5


def test_an_interpreter_that_is_not_there(tmp_path: Path) -> None:
    failure = run_probe(str(tmp_path / "nothing"))
    assert isinstance(failure, ProbeFailure)
    assert "cannot be started: No such file" in failure.reason


def test_no_descriptor_is_left_open(tmp_path: Path) -> None:
    before = os.listdir("/proc/self/fd")
    run_probe(str(tmp_path / "nothing"))
    run_probe(interpreter(tmp_path, "exit 1"))
    assert os.listdir("/proc/self/fd") == before


@pytest.mark.parametrize("text", ["", "[]", "{}", json.dumps({"versions": {"python": "3"}, "surplus": 1})])
def test_what_is_not_an_answer_does_not_pass_for_one(text: str) -> None:
    with pytest.raises((ValueError, KeyError, TypeError)):
        stack_answers(json.loads(text))


def test_runtimes_and_allocator_in_the_maps() -> None:
    mapped = mapped_files(MAPS)
    assert mapped[0] == "/opt/py/bin/python3"
    assert openmp_runtimes(mapped) == ["/opt/my dir/libiomp5.so", "/opt/py/torch/lib/libgomp-a1b2c3d4.so.1"]
    assert allocator(mapped) == "jemalloc"


@pytest.mark.parametrize(
    ("name", "is_runtime"),
    [("libgomp.so.1", True), ("libomp.so", True), ("libomp5.so.2", True), ("libcomposite.so", False)],
)
def test_names_of_openmp_runtimes(name: str, is_runtime: bool) -> None:
    assert bool(openmp_runtimes([f"/x/{name}"])) is is_runtime


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("libtcmalloc_minimal.so.4", "tcmalloc"),
        ("libmimalloc-secure.so", "mimalloc"),
        ("libc.so.6", "glibc"),
    ],
)
def test_names_of_allocators(name: str, found: str) -> None:
    assert allocator([f"/x/{name}"]) == found


def test_the_machine_room_never_imports_torch(tmp_path: Path) -> None:
    (tmp_path / "torch.py").write_text("raise RuntimeError('torch was imported')\n")
    code = "import perfsuite.commands.doctor, perfsuite.machine.fingerprint, perfsuite.worker.probe"
    environ = {**os.environ, "PYTHONPATH": f"{tmp_path}:{PROBE.parents[2]}"}
    subprocess.run([sys.executable, "-c", code], env=environ, check=True, timeout=300)
