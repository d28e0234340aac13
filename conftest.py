"""Makes perfsuite's options and fixtures known to every pytest run here."""

import sys

import pytest

pytest_plugins = ("perfsuite.plugin", "pytester", "tests.plugin.project")


def pytest_collection_finish(session: pytest.Session) -> None:
    """Hypothesis's plugin imports hypothesis at the end of each run, 0.7 s, even where no test has."""
    plugins = session.config.pluginmanager
    if "hypothesis" not in sys.modules and plugins.has_plugin("hypothesispytest"):
        plugins.unregister(name="hypothesispytest")
