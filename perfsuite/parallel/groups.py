"""Which tests belong into one process, and which of them come first."""

from __future__ import annotations

import re

from perfsuite.backends.registry import NAMES, backend_named
from perfsuite.spec import WORKLOADS, Mode, Precision

_MODES, _PRECISIONS, _WORKLOADS = (
    "|".join(names) for names in (Mode, Precision, [workload.name for workload in WORKLOADS])
)
_BACKENDS = "|".join(NAMES)
#: A test of a variant, or of what is planted "in" one.
_OF_A_VARIANT = re.compile(
    rf"\[(?:.*-in-)?(?P<variant>.+-(?P<backend>{_BACKENDS})-(?P<mode>{_MODES})-(?:{_PRECISIONS})-(?:{_WORKLOADS}))\]$"
)


def group(nodeid: str) -> str:
    """What a test shares evidence or fixtures with, and so the process: its variant, or else its file."""
    found = _OF_A_VARIANT.search(nodeid)
    return found["variant"] if found else nodeid.partition("::")[0]


def is_long(name: str) -> bool:
    """Whether the group is of a variant that Inductor compiles: those come first, so that no process ends with one."""
    found = _OF_A_VARIANT.search(f"[{name}]")
    return found is not None and found["mode"] in backend_named(found["backend"]).compiled_modes
