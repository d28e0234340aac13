"""A model's calls as backends see them: positional tensors in, one tensor or a tuple out, whatever the model takes.

``torch.utils._pytree`` is not used: it does not know dataclasses, its written form is its version's own, and what
TorchDynamo and jit.trace make of plain containers is the same in every torch.
"""

from __future__ import annotations

import dataclasses
import inspect
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch

from perfsuite.errors import AssetError
from perfsuite.models.base import Model, Yields

Batch = tuple[torch.Tensor, ...]
#: Values that JSON keeps as they are.
_PLAIN = (bool, int, float, str, type(None))


@dataclass(frozen=True, slots=True)
class _Slot:
    """Stands in a call where a tensor goes."""

    index: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """How tensors, in order, make the arguments of one call: ``arguments`` and ``keywords`` hold slots for them.

    ``names`` are the slots': a keyword or a place among the arguments, with dots for what lies inside.
    """

    arguments: tuple[Any, ...]
    keywords: dict[str, Any]
    names: tuple[str, ...]

    def fill(self, tensors: Sequence[torch.Tensor]) -> tuple[tuple[Any, ...], dict[str, Any]]:
        """The positional and the keyword arguments."""
        return _filled(self.arguments, tensors), _filled(self.keywords, tensors)

    def is_positional(self, module: torch.nn.Module) -> bool:
        """Whether the module takes the tensors as they are, one after the other."""
        given = (*self.arguments, *self.keywords.values())
        if given != tuple(_Slot(index) for index in range(len(given))):
            return False
        parameters = list(inspect.signature(module.forward).parameters)
        names = parameters[len(self.arguments) : len(given)]
        return list(self.keywords) == names

    def plain_values(self) -> Iterator[object]:
        """What of the arguments is no tensor."""
        yield from _plain((self.arguments, self.keywords))

    def as_json(self) -> str:
        return json.dumps([_encoded(self.arguments), _encoded(self.keywords), self.names])

    @classmethod
    def from_json(cls, text: str) -> Call:
        arguments, keywords, names = json.loads(text)
        return cls(arguments=_decoded(arguments), keywords=_decoded(keywords), names=tuple(names))


def flatten(batch: Any) -> tuple[Call, Batch]:
    """A batch as ``Model.inputs`` makes it: how it is called, and its tensors; AssetError on what is neither."""
    tensors: dict[str, torch.Tensor] = {}
    if isinstance(batch, Mapping):
        arguments, keywords = (), {name: _slotted(value, name, tensors) for name, value in batch.items()}
    else:
        values = batch if isinstance(batch, tuple | list) else (batch,)
        arguments = tuple(_slotted(value, str(index), tensors) for index, value in enumerate(values))
        keywords = {}
    if not tensors:
        raise AssetError("a batch without a tensor: there is nothing to compute with")
    return Call(arguments=arguments, keywords=keywords, names=tuple(tensors)), tuple(tensors.values())


def _slotted(value: Any, name: str, tensors: dict[str, torch.Tensor]) -> Any:
    """The value with slots in the places of its tensors, which are added to ``tensors`` by their names."""
    if isinstance(value, Mapping):
        return {key: _slotted(inner, f"{name}.{key}", tensors) for key, inner in value.items()}
    if isinstance(value, tuple | list):
        inside = [_slotted(inner, f"{name}.{index}", tensors) for index, inner in enumerate(value)]
        return tuple(inside) if isinstance(value, tuple) else inside
    if isinstance(value, _PLAIN):
        return value
    try:
        tensors[name] = torch.as_tensor(value)
    except (TypeError, ValueError, RuntimeError) as error:
        raise AssetError(
            f"input {name} is a {type(value).__name__}: a model's inputs are tensors, numpy's arrays, plain values, "
            "or lists, tuples and mappings of these"
        ) from error
    return _Slot(len(tensors) - 1)


def _filled(value: Any, tensors: Sequence[torch.Tensor]) -> Any:
    if isinstance(value, _Slot):
        return tensors[value.index]
    if isinstance(value, dict):
        return {key: _filled(inner, tensors) for key, inner in value.items()}
    if isinstance(value, tuple):
        return tuple([_filled(inner, tensors) for inner in value])
    if isinstance(value, list):
        return [_filled(inner, tensors) for inner in value]
    return value


def _plain(value: Any) -> Iterator[object]:
    if isinstance(value, dict):
        value = tuple(value.values())
    if isinstance(value, _Slot):
        return
    if isinstance(value, tuple | list):
        for inner in value:
            yield from _plain(inner)
    else:
        yield value


def _encoded(value: Any) -> Any:
    """In JSON a container says of itself what it is; a plain value is what it is."""
    if isinstance(value, _Slot):
        return {"slot": value.index}
    if isinstance(value, dict):
        return {"dict": [[key, _encoded(inner)] for key, inner in value.items()]}
    if isinstance(value, tuple | list):
        return {type(value).__name__: [_encoded(inner) for inner in value]}
    return value


def _decoded(value: Any) -> Any:
    match value:
        case {"slot": index}:
            return _Slot(index)
        case {"dict": items}:
            return {key: _decoded(inner) for key, inner in items}
        case {"tuple": items}:
            return tuple(_decoded(inner) for inner in items)
        case {"list": items}:
            return [_decoded(inner) for inner in items]
        case _:
            return value


@dataclass(frozen=True, slots=True, kw_only=True)
class Output:
    """One tensor of what a model returns: its name, what it means, and the steps (kind, key) that lead to it."""

    name: str
    yields: Yields
    path: tuple[tuple[str, str | int], ...]

    @classmethod
    def from_dict(cls, stored: Mapping[str, Any]) -> Output:
        """From what ``dataclasses.asdict`` and JSON made of it."""
        path = tuple((kind, key) for kind, key in stored["path"])
        return cls(name=stored["name"], yields=Yields(stored["yields"]), path=path)

    def of(self, returned: Any) -> Any:
        found = returned
        for kind, key in self.path:
            found = getattr(found, str(key)) if kind == "field" else found[key]
        return found


def outputs_of(model: Model, returned: Any) -> tuple[Output, ...]:
    """The outputs of the model; AssetError if it returns no tensor, or not one that it says the meaning of."""
    paths = {".".join(str(key) for _, key in path): path for path in _paths(returned, ())}
    if not paths:
        raise AssetError(f"model {model.name}: it returns a {type(returned).__name__}, in which there is no tensor")
    meanings = model.yields if isinstance(model.yields, Mapping) else dict.fromkeys(paths, model.yields)
    if unknown := sorted(meanings.keys() - paths.keys()):
        raise AssetError(f"model {model.name}: `yields` names {', '.join(unknown)}; it returns {', '.join(paths)}")
    return tuple(
        Output(name=name, yields=Yields(meanings.get(name, Yields.SCORES)), path=path) for name, path in paths.items()
    )


def _paths(value: Any, path: tuple[tuple[str, str | int], ...]) -> Iterator[tuple[tuple[str, str | int], ...]]:
    """The steps to each tensor in it; what is neither tensor nor container, a cache of keys say, is no answer."""
    inside: list[tuple[tuple[str, str | int], Any]] = []
    if isinstance(value, torch.Tensor):
        yield path
    elif isinstance(value, Mapping):  # transformers' outputs are mappings and dataclasses
        inside = [(("key", key), inner) for key, inner in value.items()]
    elif dataclasses.is_dataclass(value):
        inside = [(("field", field.name), getattr(value, field.name)) for field in dataclasses.fields(value)]
    elif isinstance(value, tuple) and hasattr(value, "_fields"):
        inside = [(("field", name), getattr(value, name)) for name in value._fields]
    elif isinstance(value, tuple | list):
        inside = [(("key", index), inner) for index, inner in enumerate(value)]
    for step, inner in inside:
        yield from _paths(inner, (*path, step))


class Positional(torch.nn.Module):
    """A model that takes its call's tensors one after the other, and returns one tensor or a tuple of them."""

    def __init__(self, module: torch.nn.Module, call: Call, outputs: tuple[Output, ...]) -> None:
        super().__init__()
        self.module = module
        self._call = call
        self._outputs = outputs

    def forward(self, *tensors: torch.Tensor) -> Any:
        arguments, keywords = self._call.fill(tensors)
        returned = self.module(*arguments, **keywords)
        found = [output.of(returned) for output in self._outputs]
        return found[0] if len(found) == 1 else tuple(found)


def positional(module: torch.nn.Module, call: Call, outputs: tuple[Output, ...]) -> torch.nn.Module:
    """The module behind an adapter, or as it is if it needs none: its graphs are then its own."""
    if call.is_positional(module) and not outputs[0].path:
        return module
    return Positional(module, call, outputs).eval()
