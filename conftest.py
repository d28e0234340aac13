"""For perfsuite's own tests; the plugin loads by its entry point.

No `pytest_plugins` here: a project elsewhere may collect the shipped suite from this clone, and pytest refuses them in
any conftest but the top one.
"""

import sys

import pytest


def pytest_collection_finish(session: pytest.Session) -> None:
    """Hypothesis's plugin imports hypothesis at the end of each run, 0.7 s, even where no test has."""
    plugins = session.config.pluginmanager
    if "hypothesis" not in sys.modules and plugins.has_plugin("hypothesispytest"):
        plugins.unregister(name="hypothesispytest")


# What a job, a terminal or a habit sets, and what pytest, rich or perfsuite then prints otherwise: a job's log is not
# folded (pytest reads CI and BUILD_NUMBER), a run's summary goes into the job's.
OUTPUT_VARIABLES = (
    "BUILD_NUMBER",
    "CI",
    "COLUMNS",
    "FORCE_COLOR",
    "GITHUB_ACTIONS",
    "GITHUB_STEP_SUMMARY",
    "LINES",
    "NO_COLOR",
    "PYTEST_ADDOPTS",
    "PY_COLORS",
    "TERM",
)


@pytest.fixture(autouse=True)
def _outside_a_job(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """perfsuite's own tests see the same output everywhere, and what they plant is nothing for a job's log."""
    if "variant" not in request.fixturenames:  # the suite's do belong there
        for name in OUTPUT_VARIABLES:
            monkeypatch.delenv(name, raising=False)
