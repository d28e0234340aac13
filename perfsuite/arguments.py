"""Options that take a path, refused where a space stands before it. Loaded by every pytest that finds us installed.

Until pytest has read our conftest it does not know these options, and takes a path behind a space for a test's: it
looks for its settings and conftest.py there, finds another project's or none, and never reads ours.
"""

from __future__ import annotations

from collections.abc import Generator, Sequence
from itertools import pairwise, takewhile

import pytest

BASELINES = "--baselines"
#: Every option of perfsuite's that takes a path.
PATH_OPTIONS = (BASELINES,)


@pytest.hookimpl(wrapper=True)
def pytest_load_initial_conftests(
    early_config: pytest.Config, parser: pytest.Parser, args: Sequence[str]
) -> Generator[None, object, object]:
    result = yield
    for option, value in pairwise(takewhile(lambda argument: argument != "--", args)):
        if option in PATH_OPTIONS and _is_ours(option, early_config, parser, args):
            raise pytest.UsageError(
                f"write {option}={value}: behind a space pytest takes a path for a test's, and looks for settings there"
            )
    return result


def _is_ours(option: str, config: pytest.Config, parser: pytest.Parser, args: Sequence[str]) -> bool:
    """Another project may declare an option of that name; if nobody has, our conftest was not found."""
    if config.pluginmanager.has_plugin("perfsuite.plugin"):
        return True
    _, unknown = parser.parse_known_and_unknown_args(args)
    return option in unknown
