"""Every variant's latency, held against its baseline; runs under --benchmark-only alone."""

from collections.abc import Callable

import pytest

from perfsuite.records.speed import Speed, Verdict
from perfsuite.report.text import comparison_line


def test_latency(comparison: Speed, explanation: Callable[[], list[str]], accepts: bool) -> None:
    if comparison.verdict is Verdict.REGRESSED and not accepts:
        pytest.fail("\n".join((comparison_line(comparison), *explanation())), pytrace=False)
