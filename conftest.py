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


@pytest.fixture(autouse=True)
def _outside_a_job(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """What perfsuite's own tests plant is nothing for the log or the summary of the job that runs them."""
    if "variant" not in request.fixturenames:  # the suite's do belong there
        for name in ("GITHUB_ACTIONS", "GITHUB_STEP_SUMMARY"):
            monkeypatch.delenv(name, raising=False)
