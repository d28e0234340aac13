"""Makes perfsuite's options and fixtures known to every pytest run here."""

pytest_plugins = ("perfsuite.plugin", "pytester", "tests.plugin.project")
