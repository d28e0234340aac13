"""The suite that ships: every variant's outputs, kernels and speed; `pytest --pyargs perfsuite.suite`."""

from __future__ import annotations

from pathlib import Path

import pytest

_FOLDER = Path(__file__).parent


def collect(config: pytest.Config) -> None:
    """Have pytest collect this suite as well, unless the user says what to collect, or it is there already."""
    if config.args_source is config.ArgsSource.ARGS:
        return
    here = config.invocation_params.dir
    if not any(_FOLDER.is_relative_to((here / path).resolve()) for path in config.args):
        config.args.append(str(_FOLDER))
