"""Where commands print their tables."""

from __future__ import annotations

import os
import sys

from rich.console import Console

from perfsuite.report.text import WIDTH


def output_console() -> Console:
    """As wide as the terminal, or as COLUMNS says; ``WIDTH`` in a file or a pipe, where rich takes 80."""
    known = sys.stdout.isatty() or "COLUMNS" in os.environ
    return Console(width=None if known else WIDTH)
