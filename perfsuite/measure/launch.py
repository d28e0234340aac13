"""Launchers and workers, seen from the process that runs pytest."""

from __future__ import annotations

import contextlib
import dataclasses
import itertools
import json
import os
import signal
import socket
import subprocess
import time
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from perfsuite.errors import WorkerError
from perfsuite.machine.numactl import bound as bound_to
from perfsuite.records.placement import Seat
from perfsuite.worker.protocol import NOTHING, Closed, Job, Line

#: Lines of a failed worker's output that its error shows: a traceback's end and its message.
_SHOWN_LINES = 15
#: A launcher imports, asks what Inductor may compile for, and forks: 20 s at most here, times six.
_LAUNCH_TIMEOUT_S = 120.0
#: How long a dying worker's exit status may take to arrive.
_REAP_TIMEOUT_S = 10.0


class Launcher:
    """A process of the interpreter ``python`` that imports one backend and forks workers from it.

    All run on the ``seat``; ``bound``: with memory of its nodes alone. ``instance`` is which of several it serves,
    from 1, and None where there is one. Each has a launcher of its own, for OpenMP runtimes look when they are loaded
    at the CPUs that they may use.
    """

    def __init__(
        self,
        *,
        python: Path,
        backend: str,
        environment: dict[str, str],
        project: str,
        seat: Seat,
        bound: bool,
        instance: int | None,
        logs: Path,
    ) -> None:
        self._python = python
        self._backend = backend
        self._environment = environment
        self._project = project
        self._seat = seat
        self._bound = bound
        self._logs = logs
        self._name = backend if instance is None else f"{backend}-{instance}"
        self._whose = "" if instance is None else f" of instance {instance}"
        self._numbers = itertools.count(1)
        self._alive: set[int] = set()
        self._ended: dict[int, int] = {}
        self._preloading = False
        self.closed = False
        logs.mkdir(parents=True, exist_ok=True)
        self._log = logs / f"launcher-{self._name}.log"
        self._spawn(preload=True)

    def _spawn(self, *, preload: bool) -> None:
        # Packets: a request to preload, which nobody answers, must not run into the one behind it.
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        # -P: nothing is imported from the folder that it runs in, but by PYTHONPATH.
        command = [str(self._python), "-P", "-m", "perfsuite.worker"]
        command += [str(theirs.fileno()), str(int(preload)), ",".join(map(str, self._seat.cpus))]
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(
                bound_to(command, self._seat.nodes) if self._bound else command,
                env=self._environment,
                cwd=self._project,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                pass_fds=[theirs.fileno()],
                start_new_session=True,  # Ctrl-C is ours to handle, not the workers'
            )
        theirs.close()
        self._line = Line(ours)

    def preload(self, job: Job) -> None:
        """Have the launcher import what the job needs, without waiting for it; should it fail, ``start`` tells."""
        with contextlib.suppress(OSError):
            self._line.socket.send(json.dumps(dataclasses.asdict(job)).encode())
            self._preloading = True

    def settle(self) -> None:
        """Wait until nothing is imported any more; should it fail, ``start`` tells."""
        if not self._preloading or self.closed:
            return
        self._preloading = False
        self._line.socket.settimeout(_LAUNCH_TIMEOUT_S)
        with contextlib.suppress(Closed, ValueError, OSError):
            self._line.socket.send(NOTHING)
            self._receive_until("settled")

    def start(self, job: Job) -> Worker:
        """Fork a worker for ``job``; WorkerError if the launcher cannot, for want of an import say."""
        log = self._logs / f"worker-{self._name}-{next(self._numbers)}.log"
        started_s = time.perf_counter()
        ours, answer = self._request(job, log)
        if not answer["started"]:
            # A library started a thread while being imported: fork would copy its locks but not
            # the thread. Let each worker import for itself.
            ours.close()
            self._end_process()
            self._spawn(preload=False)
            ours, answer = self._request(job, log)
        self._alive.add(answer["pid"])
        waited_s = time.perf_counter() - started_s - answer["fork_s"]
        return Worker(
            self,
            name=f"worker {answer['pid']}{self._whose}",
            pid=answer["pid"],
            line=Line(ours),
            log=log,
            start_s=answer["fork_s"],
            waited_s=waited_s,
            import_s=answer["import_s"],
        )

    def _request(self, job: Job, log: Path) -> tuple[socket.socket, Any]:
        ours, theirs = socket.socketpair()
        request = json.dumps(dataclasses.asdict(job)).encode()
        self._line.socket.settimeout(_LAUNCH_TIMEOUT_S)
        try:
            with theirs, log.open("wb") as output:
                socket.send_fds(self._line.socket, [request], [theirs.fileno(), output.fileno()])
                return ours, self._receive_until("started")
        except (Closed, ValueError, OSError) as error:
            ours.close()
            self.close()
            raise WorkerError(
                f"the {self._backend} launcher{self._whose} died or hung ({error!r}); "
                f"the end of its output:\n{_tail(self._log)}"
            ) from error

    def wait(self, pid: int) -> int | None:
        """The exit code of a worker that is ending (minus the signal that killed it)."""
        if self.closed:
            return None
        self._line.socket.settimeout(_REAP_TIMEOUT_S)
        try:
            while pid not in self._ended:
                self._receive_until("ended", pid)
        except TimeoutError:
            return None
        except (Closed, ValueError, OSError):
            self.close()  # it died, and what its workers had started is left
            return None
        return self._ended.pop(pid)

    def _receive_until(self, key: str, value: int | None = None) -> Any:
        while True:
            message = self._line.receive()
            if "ended" in message:
                self._alive.discard(message["ended"])
                self._ended[message["ended"]] = message["exit"]
            if key in message and value in (None, message[key]):
                return message

    def close(self) -> None:
        """End the launcher, all its workers and whatever these have started; stopped ones too."""
        self.closed = True
        self._end_process()

    def _end_process(self) -> None:
        for pid in self._alive:
            _signal_group(pid, signal.SIGKILL)
        self._alive.clear()
        if self._process.returncode is None:  # once it is waited for, its number may be another's
            _signal_group(self._process.pid, signal.SIGKILL)
            self._process.wait()
        self._line.socket.close()


class Worker:
    """One worker process; leaving its ``with`` block ends it, whatever state it is in.

    ``start_s`` is what forking it took, ``waited_s`` how long its launcher had to be waited for before that, and
    ``import_s`` what the launcher has spent on importing so far, waited for or not.
    """

    def __init__(
        self,
        launcher: Launcher,
        *,
        name: str,
        pid: int,
        line: Line,
        log: Path,
        start_s: float,
        waited_s: float,
        import_s: float,
    ) -> None:
        self._launcher = launcher
        self._line = line
        self._log = log
        self._ended = False
        self._oom_kills = _oom_kills()
        self._name = name
        self._asked = ""
        self.pid = pid
        self.start_s = start_s
        self.waited_s = waited_s
        self.import_s = import_s

    def call(self, do: str, *, timeout_s: float, **arguments: object) -> Any:
        """Have the worker do something and return its answer; raises as ``answer`` does."""
        self.ask(do, **arguments)
        return self.answer(timeout_s=timeout_s)

    def ask(self, do: str, **arguments: object) -> None:
        """Have the worker do something, whose answer is to be waited for with ``answer``."""
        self._asked = do
        try:
            self._line.send({"do": do, **arguments})
        except ConnectionError as error:
            raise self._dead() from error

    def answer(self, *, timeout_s: float) -> Any:
        """What the worker answers to what it was asked.

        Raises WorkerError, with the signal or the timeout and the end of its output, if it dies,
        hangs or answers with something that is not JSON.
        """
        self._line.socket.settimeout(timeout_s)
        try:
            answer = self._line.receive()
        except TimeoutError as error:
            self._end()
            raise self._error(f"hung: no answer within {timeout_s:.0f} s") from error
        except (Closed, ConnectionError) as error:
            raise self._dead() from error
        except ValueError as error:
            self._end()
            raise self._error(f"answered with garbage ({error})") from error
        if not isinstance(answer, dict):
            self._end()
            raise self._error(f"answered with garbage ({answer!r:.80})")
        return answer

    def pause(self) -> None:
        """Stop every thread of the worker, those of an OpenMP runtime that spins after its work too."""
        _signal_group(self.pid, signal.SIGSTOP)

    def resume(self) -> None:
        """Let a paused worker go on."""
        _signal_group(self.pid, signal.SIGCONT)

    def _cause(self, code: int | None) -> str:
        if code is None:
            return "died with its launcher"
        if code >= 0:
            return f"exited with status {code}"
        name = signal.Signals(-code).name
        if -code == signal.SIGKILL and _oom_kills() > self._oom_kills:
            return f"killed by {name}: the kernel ran out of memory"
        return f"killed by {name}"

    def _dead(self) -> WorkerError:
        self._ended = True
        return self._error(self._cause(self._launcher.wait(self.pid)))

    def _error(self, what: str) -> WorkerError:
        return WorkerError(
            f"{self._name} {what}, while doing {self._asked!r}; the end of its output:\n{_tail(self._log)}"
        )

    def _end(self) -> None:
        if self._ended:
            return
        self._ended = True
        if _signal_group(self.pid, signal.SIGKILL):
            self._launcher.wait(self.pid)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        # SIGKILL, not a farewell: a worker has nothing left to save, and interpreter shutdown
        # with torch loaded costs up to a second.
        self._end()
        self._line.socket.close()


def _signal_group(leader: int, number: signal.Signals) -> bool:
    """Signal a process and all that it has started; False if none is left, as of one that died meanwhile."""
    try:
        os.killpg(leader, number)
    except ProcessLookupError:
        return False
    return True


def _tail(log: Path) -> str:
    lines = log.read_text(errors="replace").splitlines()[-_SHOWN_LINES:]
    return "\n".join(f"  {line}" for line in lines) or "  (it printed nothing)"


def _oom_kills() -> int:
    """How many processes the kernel has killed for want of memory since it booted."""
    for line in Path("/proc/vmstat").read_text().splitlines():
        if line.startswith("oom_kill "):
            return int(line.split()[1])
    return 0
