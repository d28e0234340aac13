"""The models that perfsuite runs. A new one is a file beside these and a line in ``MODELS``."""

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Mapping

from perfsuite.errors import UsageError
from perfsuite.models.base import Model
from perfsuite.models.bert_base import BertBase
from perfsuite.models.minilm import MiniLM
from perfsuite.models.resnet50 import ResNet50

MODELS: tuple[Model, ...] = (ResNet50(), BertBase(), MiniLM())


def load_models(extra: Mapping[str, str]) -> dict[str, Model]:
    """The built-in models by name, and the user's: name -> ``package.module:ATTRIBUTE``."""
    models = {model.name: model for model in MODELS}
    # As workers do, so that both find the same module; the `pytest` command leaves it out.
    if extra and sys.path[0] != (folder := os.getcwd()):
        sys.path.insert(0, folder)
    for name, target in extra.items():
        if not isinstance(target, str):
            raise UsageError(f"[tool.perfsuite.models] {name} = {target!r} must be 'package.module:MODEL'")
        module_name, _, attribute = target.partition(":")
        try:
            model = getattr(importlib.import_module(module_name), attribute)
        except (ImportError, AttributeError, ValueError) as error:
            raise UsageError(
                f"[tool.perfsuite.models] {name} = {target!r}: {error}; it must be 'package.module:MODEL', "
                "an importable instance of perfsuite.models.base.Model"
            ) from error
        if not isinstance(model, Model) or model.name != name:
            raise UsageError(
                f"[tool.perfsuite.models] {name} = {target!r} must be an instance of "
                f"perfsuite.models.base.Model whose name is {name!r}"
            )
        models[name] = model
    return models
