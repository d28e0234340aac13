"""The launcher: imports a stack once, then forks one worker for each job it is sent.

Importing torch and ipex takes 4 to 10 s; a fork takes milliseconds. A fork is safe only while
the launcher has a single thread: once a library starts another, it says so in place of forking.

Each worker leads a process group of its own, so that what it starts (Inductor's compilers, say)
ends with it, however it ends; and all of them end with the launcher and with the run.

    python -m perfsuite.worker CONTROL_FD PRELOAD CPUS

PRELOAD 0 leaves the importing to each worker; CPUS, such as 0,1, is where they all run.
"""

from __future__ import annotations

import contextlib
import ctypes
import gc
import importlib
import json
import os
import select
import selectors
import signal
import socket
import sys
import time
from typing import Any

from perfsuite.backends.inductor import preload_compiler
from perfsuite.backends.registry import backend_named
from perfsuite.models import load_models
from perfsuite.spec import Mode, Precision
from perfsuite.worker.protocol import NOTHING, Line

_PR_SET_PDEATHSIG = 1


def _be_told_when_parent_dies(parent_pid: int, how: signal.Signals) -> None:
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, how)
    if os.getppid() != parent_pid:  # it died before the call above
        os._exit(0)


def _end_group(pid: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(pid, signal.SIGKILL)


def _threads() -> int:
    return len(os.listdir("/proc/self/task"))


def _fork_worker(request: bytes, fds: list[int], control: socket.socket) -> int:
    launcher_pid = os.getpid()
    pid = os.fork()
    if pid:
        with contextlib.suppress(ProcessLookupError):
            os.setpgid(pid, pid)
        return pid
    status = 1
    try:
        os.setpgid(0, 0)  # both do: whoever needs the group first finds it
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        _be_told_when_parent_dies(launcher_pid, signal.SIGKILL)
        control.close()
        line_fd, output_fd = fds
        os.dup2(output_fd, 1)
        os.dup2(output_fd, 2)
        from perfsuite.worker.runner import serve

        serve(Line(socket.socket(fileno=line_fd)), json.loads(request))
        status = 0
    except BaseException:
        sys.excepthook(*sys.exc_info())
    finally:
        sys.stderr.flush()
        os._exit(status)


def _preload(job: dict[str, Any]) -> None:
    """Import what the job will need; what is imported already costs nothing."""
    backend = backend_named(job["backend"])
    mode, precision = Mode(job["mode"]), Precision(job["precision"])
    names = [*backend.imports(mode, precision), "perfsuite.worker.runner"]
    target = job["model_target"]
    names += load_models({job["model"]: target} if target else {})[job["model"]].imports
    for name in names:
        importlib.import_module(name)
    if mode in backend.compiled_modes:
        preload_compiler()
    gc.collect()
    gc.freeze()


def main(control_fd: int, *, preload: bool, cpus: set[int]) -> None:
    """Serve the control socket until it is closed or the run dies; all that was started ends with this process."""
    workers: set[int] = set()

    def end_all(*_: object) -> None:
        for pid in workers:
            _end_group(pid)
        _end_group(os.getpid())

    # Not SIGKILL: what the workers have started would go on.
    signal.signal(signal.SIGTERM, end_all)
    _be_told_when_parent_dies(os.getppid(), signal.SIGTERM)
    os.sched_setaffinity(0, cpus)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        _serve(socket.socket(fileno=control_fd), workers, preload=preload)
    except BaseException:
        sys.excepthook(*sys.exc_info())
    finally:
        sys.stderr.flush()
        end_all()


def _is_closed(control: socket.socket) -> bool:
    """Whether the run has died, though what it asked for before still waits to be read: an import takes 5 to 25 s."""
    poll = select.poll()
    poll.register(control, 0)  # of a hang-up it tells in any case
    return bool(poll.poll(0))


def _serve(control: socket.socket, workers: set[int], *, preload: bool) -> None:
    line = Line(control)
    selector = selectors.DefaultSelector()
    selector.register(control, selectors.EVENT_READ)
    import_s = 0.0
    while True:
        for key, _ in selector.select():
            if key.fileobj is control:
                request, fds, _, _ = socket.recv_fds(control, 1 << 16, 2)
                if not request or _is_closed(control):
                    return
                if request == NOTHING:
                    line.send({"settled": True})
                    continue
                if preload:
                    start_s = time.perf_counter()
                    _preload(json.loads(request))
                    import_s += time.perf_counter() - start_s
                if not fds:  # no worker is asked for yet
                    continue
                if _threads() > 1:
                    line.send({"started": False})
                    continue
                start_s = time.perf_counter()
                workers.add(pid := _fork_worker(request, fds, control))
                for fd in fds:
                    os.close(fd)
                selector.register(os.pidfd_open(pid), selectors.EVENT_READ, data=pid)
                fork_s = time.perf_counter() - start_s
                line.send({"started": True, "pid": pid, "import_s": import_s, "fork_s": fork_s})
            else:
                _end_group(key.data)  # before it is waited for: until then its number is nobody else's
                workers.remove(key.data)
                _, status = os.waitpid(key.data, 0)
                selector.unregister(key.fileobj)
                os.close(key.fd)
                line.send({"ended": key.data, "exit": os.waitstatus_to_exitcode(status)})


if __name__ == "__main__":
    main(int(sys.argv[1]), preload=sys.argv[2] == "1", cpus={int(cpu) for cpu in sys.argv[3].split(",")})
