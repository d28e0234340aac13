"""What a stack says about itself, asked in a process of its own (perfsuite/worker/probe.py)."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from perfsuite.machine.trial import read_trial
from perfsuite.records.machine import StackAnswers, Trial, stack_answers

PROBE = Path(__file__).parents[1] / "worker" / "probe.py"
TIMEOUT_S = 60.0  # torch and ipex import in about 10 s on two cores; the rest is for a cold disk
_STDERR_LINES = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class ProbeFailure:
    """The probe gave no answers: what became of its process, and the last lines it wrote to stderr."""

    reason: str
    stderr_tail: tuple[str, ...]


def run_probe(
    python: str = sys.executable, timeout_s: float = TIMEOUT_S, *, environ: Mapping[str, str] = os.environ
) -> StackAnswers | ProbeFailure:
    """Ask the stack of the interpreter `python`; takes about as long as importing torch and ipex."""
    reader, writer = os.pipe()
    # By path and with -P: the stack need not have perfsuite, and nothing beside the probe hides a module.
    command = [python, "-P", str(PROBE), "--output-fd", str(writer)]
    with open(reader) as answers:
        try:
            process = subprocess.Popen(
                command,
                pass_fds=[writer],
                env=environ,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE,
                text=True,
                errors="replace",
                start_new_session=True,
            )
        except OSError as error:
            return ProbeFailure(reason=f"{python} cannot be started: {error.strerror}", stderr_tail=())
        finally:
            os.close(writer)
        ending = ""
        try:
            _, stderr = process.communicate(timeout=timeout_s)
        except subprocess.TimeoutExpired:
            # Its children too: they would hold the pipes open, and with them this process.
            os.killpg(process.pid, signal.SIGKILL)
            _, stderr = process.communicate()
            ending = f"gave no answer within {timeout_s:.0f} s"
        answered, _, tried = answers.read().partition("\n")
    if process.returncode != 0:
        ending = ending or _ending(process.returncode)
    try:
        found = stack_answers(json.loads(answered))
    except (ValueError, KeyError, TypeError) as error:
        return _failure(ending or f"wrote what is not an answer ({_described(error)})", stderr)
    return replace(found, trial=_trial(tried, ending))


def _trial(text: str, ending: str) -> Trial | None:
    """A trial that ends its process, as an instruction that is not there does, costs no more than itself."""
    try:
        said = json.loads(text)
        return None if said is None else read_trial(said)
    except (ValueError, KeyError, TypeError) as error:
        return Trial(failure=ending or f"wrote what is not an answer ({_described(error)})")


def _described(error: Exception) -> str:
    return f"{type(error).__name__}: {error}"


def _failure(reason: str, stderr: str) -> ProbeFailure:
    return ProbeFailure(reason=reason, stderr_tail=tuple(stderr.strip().splitlines()[-_STDERR_LINES:]))


def _ending(returncode: int) -> str:
    if returncode >= 0:
        return f"ended with exit status {returncode}"
    return f"was ended by signal {signal.Signals(-returncode).name}"
