"""Every variant's latency, held against its baseline; runs under --benchmark-only alone."""

from collections.abc import Callable

import pytest

from perfsuite.report.text import comparison_line
from perfsuite.results import Comparison, Verdict


def test_latency(comparison: Comparison, explanation: Callable[[], list[str]], accepts: bool) -> None:
    if comparison.verdict is Verdict.REGRESSED and not accepts:
        pytest.fail("\n".join((comparison_line(comparison), *explanation())), pytrace=False)
