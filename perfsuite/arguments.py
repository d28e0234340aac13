"""What every pytest loads that finds us installed; the plugin itself loads only where a project uses it.

It does so by a table [tool.perfsuite]: anywhere else no option, marker or hook of ours is known, and next to nothing is
imported. Options that take a path are refused where a space stands before it: pytest does not know them before the
plugin is loaded, takes the path for a test's, looks for its settings there, and finds another project's or none.
"""

from __future__ import annotations

from collections.abc import Generator, Sequence
from itertools import pairwise, takewhile
from pathlib import Path

import pytest

BASELINES = "--baselines"
#: Every option of perfsuite's that takes a path.
PATH_OPTIONS = (BASELINES, "--report-markdown", "--report-issue", "--report-html")
#: Takes a name as well, which pytest takes for a test's only where a file of that name lies.
PRELOAD = "--preload"


@pytest.hookimpl(wrapper=True)
def pytest_load_initial_conftests(
    early_config: pytest.Config, parser: pytest.Parser, args: Sequence[str]
) -> Generator[None, object, object]:
    if _uses_perfsuite(early_config.rootpath / "pyproject.toml"):
        early_config.pluginmanager.import_plugin("perfsuite.plugin")
    result = yield
    for option, value in pairwise(takewhile(lambda argument: argument != "--", args)):
        if _takes_path(option, value) and _is_ours(option, early_config, parser, args):
            raise pytest.UsageError(
                f"write {option}={value}: behind a space pytest takes a path for a test's, and looks for settings there"
            )
    return result


def _uses_perfsuite(pyproject: Path) -> bool:
    """Whether it has [tool.perfsuite]; what cannot be read is pytest's to tell, or nobody's."""
    try:
        text = pyproject.read_text(encoding="utf-8")
        if "perfsuite" not in text:
            return False
        import tomllib  # 5 ms, which a project that does not use us need not spend

        tools = tomllib.loads(text).get("tool")
    except (OSError, ValueError):
        return False
    return isinstance(tools, dict) and "perfsuite" in tools


def _takes_path(option: str, value: str) -> bool:
    return option in PATH_OPTIONS or (option == PRELOAD and ("/" in value or Path(value).exists()))


def _is_ours(option: str, config: pytest.Config, parser: pytest.Parser, args: Sequence[str]) -> bool:
    """Another project may declare an option of that name; if nobody has, our project was not found."""
    if config.pluginmanager.has_plugin("perfsuite.plugin"):
        return True
    _, unknown = parser.parse_known_and_unknown_args(args)
    return option in unknown
