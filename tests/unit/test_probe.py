"""What a stack says of itself, asked of a process that runs it."""

import importlib
import sys
from types import SimpleNamespace

import pytest

from perfsuite.worker import probe


def test_a_worker_is_asked_of_what_it_has_loaded_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """Importing ipex takes a worker of stock PyTorch 5 to 10 s, and is not what it ran with."""
    torch = SimpleNamespace(get_num_threads=lambda: 3)
    monkeypatch.setitem(sys.modules, "torch", torch)
    monkeypatch.delitem(sys.modules, "intel_extension_for_pytorch", raising=False)
    monkeypatch.setattr(importlib, "import_module", lambda name: pytest.fail(f"imported {name}"))
    found = probe.answers(importing=False)
    assert (found["threads"], found["ipex_isa"], found["ipex_import_error"]) == (3, None, "")
