"""Binding memory to NUMA nodes with numactl, as `torch.backends.xeon.run_cpu` and `ipexrun` do.

numactl is what distributions keep (packages numactl everywhere, 2.0.19 of 2024); the bindings of libnuma on PyPI
were left years ago. It sets the policy before the interpreter starts, so that imported libraries are bound too.
"""

from __future__ import annotations

import functools
import shutil
import subprocess
from collections.abc import Sequence

from perfsuite.records.placement import Binding

_NUMACTL = "numactl"
_TIMEOUT_S = 10.0  # it takes milliseconds; the rest is for a machine that swaps


@functools.cache
def binding(nodes: tuple[int, ...]) -> Binding:
    """What becomes of binding memory to these nodes: containers may refuse it (Docker's seccomp profile does)."""
    if shutil.which(_NUMACTL) is None:
        return Binding.ABSENT
    try:
        done = subprocess.run(bound(["true"], nodes), capture_output=True, timeout=_TIMEOUT_S)
    except (OSError, subprocess.TimeoutExpired):
        return Binding.REFUSED
    return Binding.BOUND if done.returncode == 0 else Binding.REFUSED


def bound(command: Sequence[str], nodes: Sequence[int]) -> list[str]:
    """The command, run so that all its memory comes from these nodes."""
    return [_NUMACTL, f"--membind={','.join(map(str, nodes))}", "--", *command]
