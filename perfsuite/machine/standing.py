"""How an instruction set can stand on a machine."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class State(StrEnum):
    """The first two are usable, as far as anybody can know."""

    USED = "used"  # oneDNN's kernels were seen to use it
    PRESENT = "present"  # nothing stands in the way; not seen in use
    UNUSED = "unused"  # the processor has it, and oneDNN's kernels do without
    CAPPED = "capped"  # by an environment variable
    DENIED = "denied"  # by the stack's own word
    REFUSED = "refused"  # by the kernel, which keeps the tile registers
    HIDDEN = "hidden"  # this processor has it, and the system does not show it
    UNKNOWN = "unknown"  # nobody here can tell
    ABSENT = "absent"


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """A state, the grounds for it, and what to do; without a remedy there is nothing to do.

    ``variable`` is the environment variable that caps, else empty.
    """

    state: State
    detail: str
    remedy: str = ""
    variable: str = ""
