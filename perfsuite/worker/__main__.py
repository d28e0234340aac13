"""The launcher: imports a stack once, then forks one worker for each job it is sent.

Importing torch and ipex takes 4 to 10 s; a fork takes milliseconds. A fork is safe only while
the launcher has a single thread: once a library starts another, it says so in place of forking.

    python -m perfsuite.worker CONTROL_FD PRELOAD CPUS

PRELOAD 0 leaves the importing to each worker; CPUS, such as 0,1, is where they all run.
"""

from __future__ import annotations

import ctypes
import gc
import importlib
import json
import os
import selectors
import signal
import socket
import sys
import time
from typing import Any

from perfsuite.backends import BACKENDS
from perfsuite.models import MODELS
from perfsuite.spec import Mode, Precision
from perfsuite.worker.protocol import Line

_PR_SET_PDEATHSIG = 1


def _die_with_parent(parent_pid: int) -> None:
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent_pid:  # it died before the call above
        os._exit(0)


def _threads() -> int:
    return len(os.listdir("/proc/self/task"))


def _fork_worker(request: bytes, fds: list[int], control: socket.socket) -> int:
    launcher_pid = os.getpid()
    pid = os.fork()
    if pid:
        return pid
    status = 1
    try:
        _die_with_parent(launcher_pid)
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
    backend = next(backend for backend in BACKENDS if backend.name == job["backend"])
    mode, precision = Mode(job["mode"]), Precision(job["precision"])
    names = [*backend.imports(mode, precision), "perfsuite.worker.runner"]
    names += [name for model in MODELS if model.name == job["model"] for name in model.imports]
    for name in names:
        importlib.import_module(name)
    if mode in backend.compiled_modes:
        backend.preload_compiler()
    gc.collect()
    gc.freeze()


def main(control_fd: int, *, preload: bool, cpus: set[int]) -> None:
    """Serve the control socket until it is closed; every worker dies with this process."""
    _die_with_parent(os.getppid())
    os.sched_setaffinity(0, cpus)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    control = socket.socket(fileno=control_fd)
    line = Line(control)
    selector = selectors.DefaultSelector()
    selector.register(control, selectors.EVENT_READ)
    while True:
        for key, _ in selector.select():
            if key.fileobj is control:
                request, fds, _, _ = socket.recv_fds(control, 1 << 16, 2)
                if not request:
                    return
                start_s = time.perf_counter()
                if preload:
                    _preload(json.loads(request))
                if not fds:  # no worker is asked for yet
                    continue
                if _threads() > 1:
                    line.send({"started": False})
                    continue
                pid = _fork_worker(request, fds, control)
                for fd in fds:
                    os.close(fd)
                selector.register(os.pidfd_open(pid), selectors.EVENT_READ, data=pid)
                line.send({"started": True, "pid": pid, "import_s": time.perf_counter() - start_s})
            else:
                _, status = os.waitpid(key.data, 0)
                selector.unregister(key.fileobj)
                os.close(key.fd)
                line.send({"ended": key.data, "exit": os.waitstatus_to_exitcode(status)})


if __name__ == "__main__":
    main(int(sys.argv[1]), preload=sys.argv[2] == "1", cpus={int(cpu) for cpu in sys.argv[3].split(",")})
