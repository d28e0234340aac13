"""pytest's -k and -m expressions outside pytest, which keeps its own reading of them to itself."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterator

from perfsuite.backends.registry import marks as marks_of
from perfsuite.errors import UsageError
from perfsuite.spec import Variant

_WORD = re.compile(r"[^\s()]+")
_OPERATORS = frozenset({"and", "or", "not"})


def selects(names: str, marks: str) -> Callable[[Variant], bool]:
    """Whether a variant fits both: ``names`` as -k (pieces of its id), ``marks`` as -m; empty fits all.

    UsageError on what is no expression of words, and, or, not and brackets.
    """
    by_name, by_mark = _compiled("-k", names), _compiled("-m", marks)

    def fits(variant: Variant) -> bool:
        return by_name(lambda word: word.lower() in variant.id) and by_mark(marks_of(variant).__contains__)

    return fits


def selects_names(names: str) -> Callable[[str], bool]:
    """As ``selects``, of names that need be no variants': what others measured has names too."""
    by_name = _compiled("-k", names)
    return lambda name: by_name(lambda word: word.lower() in name.lower())


def asked_for(option: str, expression: str) -> frozenset[str]:
    """The words of an expression that are not under a ``not``, or under an even number of them."""
    if not expression.strip():
        return frozenset()
    tree, words = _parsed(option, expression)

    def collect(node: ast.expr, positive: bool) -> Iterator[str]:
        match node:
            case ast.Name(id=identifier) if positive:
                yield words[identifier]
            case ast.UnaryOp(operand=operand):
                yield from collect(operand, not positive)
            case ast.BoolOp(values=values):
                for value in values:
                    yield from collect(value, positive)

    return frozenset(collect(tree, True))


def _compiled(option: str, expression: str) -> Callable[[Callable[[str], bool]], bool]:
    if not expression.strip():
        return lambda _: True
    tree, words = _parsed(option, expression)

    def evaluate(node: ast.expr, holds: Callable[[str], bool]) -> bool:
        match node:
            case ast.Name(id=identifier):
                return holds(words[identifier])
            case ast.UnaryOp(operand=operand):
                return not evaluate(operand, holds)
            case ast.BoolOp(op=ast.And(), values=values):
                return all(evaluate(value, holds) for value in values)
            case ast.BoolOp(values=values):
                return any(evaluate(value, holds) for value in values)
        raise AssertionError(node)

    return lambda holds: evaluate(tree, holds)


def _parsed(option: str, expression: str) -> tuple[ast.expr, dict[str, str]]:
    """The expression over identifiers, and the word that each of them stands for."""
    words: dict[str, str] = {}

    def name(match: re.Match[str]) -> str:
        if match[0] in _OPERATORS:
            return match[0]
        identifier = f"w{len(words)}"
        words[identifier] = match[0]
        return identifier

    try:
        tree = ast.parse(_WORD.sub(name, expression).strip(), mode="eval").body
        _check(tree)
    except SyntaxError as error:
        raise UsageError(f"{option} {expression!r}: no expression of words, and, or, not and brackets") from error
    return tree, words


def _check(node: ast.expr) -> None:
    match node:
        case ast.Name():
            return
        case ast.UnaryOp(op=ast.Not(), operand=operand):
            _check(operand)
        case ast.BoolOp(values=values):
            for value in values:
                _check(value)
        case _:
            raise SyntaxError
