"""The stack that runs: what is installed, read without importing any of it."""

from __future__ import annotations

import platform
import re
from importlib import metadata

from perfsuite.results import Stack


def current_stack() -> Stack:
    """The interpreter that runs this process."""
    packages = {
        re.sub(r"[-_.]+", "-", distribution.name).lower(): distribution.version
        for distribution in metadata.distributions()
    }
    return Stack(python=platform.python_version(), packages=dict(sorted(packages.items())))
