"""Cycles in which the AMX unit was busy, from the processor's own counter where one may be read."""

from __future__ import annotations

import ctypes
import fcntl
import os
import platform
import struct
from collections.abc import Callable
from pathlib import Path

#: perf's ``exe.amx_busy`` on Xeons with AMX: event 0xb7, unit mask 0x02.
_EXE_AMX_BUSY = 0x02B7

_SYS_PERF_EVENT_OPEN = 298
_PERF_TYPE_RAW = 4
_ATTR_SIZE = 64  # PERF_ATTR_SIZE_VER0: all that is set lies in it
_DISABLED, _EXCLUDE_KERNEL, _EXCLUDE_HV = 1 << 0, 1 << 5, 1 << 6
_IOC_ENABLE, _IOC_DISABLE = 0x2400, 0x2401


def amx_busy(step: Callable[[], object]) -> dict[str, object]:
    """``cycles`` over all threads during one call of ``step``; None, with a ``reason``, where unreadable.

    The threads that ``step`` uses must exist: counters are opened for each of them.
    """
    # Without AMX the event's code means something else, or nothing.
    if platform.machine() != "x86_64" or " amx_tile" not in Path("/proc/cpuinfo").read_text():
        return {"cycles": None, "reason": "no AMX in /proc/cpuinfo"}
    counters: list[int] = []
    try:
        for thread in os.listdir("/proc/self/task"):
            counters.append(_open(int(thread)))
        for counter in counters:
            fcntl.ioctl(counter, _IOC_ENABLE, 0)
        step()
        for counter in counters:
            fcntl.ioctl(counter, _IOC_DISABLE, 0)
        return {"cycles": sum(struct.unpack("=Q", os.read(counter, 8))[0] for counter in counters), "reason": ""}
    except OSError as error:
        return {"cycles": None, "reason": f"perf_event_open: {error.strerror}"}
    finally:
        for counter in counters:
            os.close(counter)


def _open(thread: int) -> int:
    flags = _DISABLED | _EXCLUDE_KERNEL | _EXCLUDE_HV
    head = struct.pack("=IIQQQQQ", _PERF_TYPE_RAW, _ATTR_SIZE, _EXE_AMX_BUSY, 0, 0, 0, flags)
    attributes = head.ljust(_ATTR_SIZE, b"\0")
    libc = ctypes.CDLL(None, use_errno=True)
    descriptor: int = libc.syscall(_SYS_PERF_EVENT_OPEN, attributes, thread, -1, -1, 0)
    if descriptor < 0:
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code))
    return descriptor
