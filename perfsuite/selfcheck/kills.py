"""Kill timing runs at random moments and resume them: nothing that was written is lost, and nothing is left behind."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from perfsuite.judge.colour import Status
from perfsuite.measure.scratch import Scratch
from perfsuite.selfcheck.kill_plan import Kill, Target, planned
from perfsuite.selfcheck.losses import is_finished, lacks, records_lost
from perfsuite.selfcheck.processes import Process, living, of_run
from perfsuite.selfcheck.project import Project

#: A run takes 10 to 90 s on two cores, that of who else is there; one that takes so long hangs.
_LIMIT_S = 400.0
#: How long a signal may take to be acted upon: a launcher that imports a library does so after it (judgement).
_GRACE_S = 20.0
#: How often a run may end before its kill, each time put earlier.
_TRIES = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Strike:
    """A kill that was done: when, and what the run then ended with (minus the signal)."""

    kill: Kill
    #: Whole lines of the journal then.
    written: bytes
    status: int
    left: tuple[Process, ...]

    @property
    def told(self) -> str:
        lines = self.written.count(b"\n")
        how = f"{self.kill.target} by {self.kill.signal.name} with {lines} lines journalled"
        return f"{how}, its run ended with {self.status}"


@dataclass(slots=True, kw_only=True)
class Trial:
    """A run, and those that resume it."""

    #: The journals of earlier ones.
    before: frozenset[Path]
    strikes: list[Strike] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)


@dataclass(slots=True, kw_only=True)
class Tally:
    """What all kills came to."""

    kills: int = 0
    resumed: int = 0
    records_lost: int = 0
    processes: int = 0
    folders: int = 0
    faults: int = 0

    @property
    def status(self) -> Status:
        if not self.kills:
            return Status.UNTOLD
        lost = self.records_lost or self.processes or self.folders or self.faults or self.resumed < self.kills
        return Status.WORSE if lost else Status.FINE

    def __str__(self) -> str:
        return (
            f"{self.kills} kills: {self.resumed} resumed, {self.records_lost} records lost, "
            f"{self.processes} processes and {self.folders} folders left behind"
        )


def run(*, runs: int, seed: int) -> Status:
    """Print what each kill came to; WORSE if anything was lost or left, UNTOLD if no run came to its end unkilled."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:  # in the background of a shell: runs would inherit that
        signal.signal(signal.SIGINT, signal.default_int_handler)
    with Scratch() as folder:
        check = _Check(Project(folder))
        try:
            if not check.rehearse():
                return Status.UNTOLD
            tally = check.tally(planned(runs, seed))
        finally:
            check.end_all()
    print(tally)
    return tally.status


class _Check:
    """Kills in one project, trial after trial."""

    def __init__(self, project: Project) -> None:
        self._project = project
        self._tally = Tally()
        self._lines = 0
        self._line_s = 0.0

    def rehearse(self) -> bool:
        """Whether a run that nobody kills comes to its end; how many lines it writes, and in what time."""
        trial, start_s = self._trial(), time.monotonic()
        status = self._project.start(resume=False).wait(_LIMIT_S)
        lacking = lacks(self._written(trial))
        if status or lacking:
            said = "; ".join(lacking)
            print(f"a run that nobody killed ended with {status} ({said}):\n{self._project.tail()}")
            return False
        self._lines = self._written(trial).count(b"\n")
        self._line_s = (time.monotonic() - start_s) / self._lines
        return True

    def tally(self, kills: Sequence[Kill]) -> Tally:
        trial = self._trial()
        for number, kill in enumerate(kills, 1):
            if self._is_finished(trial):  # it was killed when all was done: there is nothing to resume
                self._end(trial)
                trial = self._trial()
            for _ in range(_TRIES):
                if strike := self._strike(trial, kill):
                    trial.strikes.append(strike)
                    break
                self._end(trial)  # the run, which may have resumed another, came to its end unharmed
                trial, kill = self._trial(), kill.earlier
            else:
                print(f"{kill.target} could not be killed: its runs ended before")
                self._tally.faults += 1
            if not (kill.again and number < len(kills)):
                self._end(trial)
                trial = self._trial()
        if self._project.scratch():  # of a run that was killed when all was done: the next one sweeps
            self._project.start(resume=False).wait(_LIMIT_S)
            self._tally.folders += len(self._project.scratch())
        return self._tally

    def _trial(self) -> Trial:
        self._project.forget()
        return Trial(before=frozenset(self._project.journals()))

    def _journal(self, trial: Trial) -> Path | None:
        return next((path for path in self._project.journals() if path not in trial.before), None)

    def _written(self, trial: Trial) -> bytes:
        """The whole lines of the trial's journal."""
        journal = self._journal(trial)
        content = journal.read_bytes() if journal else b""
        return content[: content.rfind(b"\n") + 1]

    def _is_finished(self, trial: Trial) -> bool:
        return is_finished(self._written(trial))

    def _start(self, trial: Trial) -> subprocess.Popen[bytes]:
        return self._project.start(resume=self._journal(trial) is not None)

    def _strike(self, trial: Trial, kill: Kill) -> Strike | None:
        """Kill the trial's next run; None if that ended before."""
        run = self._start(trial)
        have = self._written(trial).count(b"\n")
        lines = have + int(kill.lines_share * (self._lines - have))
        _wait(lambda: self._written(trial).count(b"\n") >= lines or run.poll() is not None, _LIMIT_S)
        _wait(lambda: run.poll() is not None, kill.delay_share * self._line_s)
        victim = self._victim(run, kill.target)
        if victim is None:
            run.wait(_LIMIT_S)
            return None
        sessions = frozenset(one.session for one in of_run(self._project.mark))
        written = self._written(trial)
        with contextlib.suppress(ProcessLookupError):
            os.kill(victim, kill.signal)
        try:
            status = run.wait(_LIMIT_S)
        except subprocess.TimeoutExpired:
            trial.faults.append(f"its run went on for more than {_LIMIT_S:.0f} s")
            run.kill()
            status = run.wait()
        _wait(lambda: not of_run(self._project.mark, sessions), _GRACE_S)
        left = tuple(of_run(self._project.mark, sessions))
        for one in left:
            with contextlib.suppress(ProcessLookupError):
                os.kill(one.pid, signal.SIGKILL)
        if kill.target is not Target.PYTEST and not self._is_finished(trial) and status != 1:
            trial.faults.append(f"the variant that a killed {kill.target} cost was not told: status {status}")
        return Strike(kill=kill, written=written, status=status, left=left)

    def _victim(self, run: subprocess.Popen[bytes], target: Target) -> int | None:
        """A process of the kind, as soon as there is one; None if the run ends before."""
        while run.poll() is None:
            if target is Target.PYTEST:
                return run.pid
            launchers = {one.pid for one in living() if one.parent == run.pid and "perfsuite.worker" in one.command}
            workers = {one.pid for one in living() if one.parent in launchers}
            if found := launchers if target is Target.LAUNCHER else workers:
                return max(found)
            time.sleep(0.01)
        return None

    def _end(self, trial: Trial) -> None:
        """Resume the trial's run to its end, tell what its kills came to and count it."""
        before = self._project.scratch()
        if not self._is_finished(trial):
            status = self._start(trial).wait(_LIMIT_S)
            before = []
            if status:
                trial.faults.append(f"the run that resumed ended with {status}:\n{self._project.tail()}")
        trial.faults += lacks(self._written(trial)) + self._project.faults()
        folders = [path.name for path in self._project.scratch() if path not in before]
        for strike in trial.strikes:
            self._print(trial, strike, folders)
        self._tally.folders += len(folders)
        self._tally.faults += len(trial.faults)

    def _print(self, trial: Trial, strike: Strike, folders: Sequence[str]) -> None:
        now = self._written(trial)
        lost = records_lost(strike.written, now)
        resumed = self._is_finished(trial)
        self._tally.kills += 1
        self._tally.resumed += resumed
        self._tally.records_lost += lost
        self._tally.processes += len(strike.left)
        said = [f"{'resumed' if resumed else 'NOT RESUMED'}, {lost} records lost"]
        said += [f"process {one.pid} of session {one.session} left: {one.command}" for one in strike.left]
        said += [f"folder {name} left" for name in folders] + trial.faults
        print(f"kill {self._tally.kills}: {strike.told}: {'; '.join(said)}", flush=True)

    def end_all(self) -> None:
        """End every process of the project's."""
        for one in of_run(self._project.mark):
            with contextlib.suppress(ProcessLookupError):
                os.kill(one.pid, signal.SIGKILL)


def _wait(until: Callable[[], bool], limit_s: float) -> None:
    """Return when it is so, or when the time is over."""
    end_s = time.monotonic() + limit_s
    while not until() and time.monotonic() < end_s:
        time.sleep(0.02)
