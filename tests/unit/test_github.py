"""What a GitHub job is given by itself: annotations in its log, and its step's summary."""

from __future__ import annotations

import types
from pathlib import Path

import pytest

from perfsuite.github import add_summary, place_of
from perfsuite.models import MODELS
from perfsuite.report.github import SUMMARY_BYTES, Annotation, Place, annotation_lines


def _unescaped(text: str) -> str:
    """As the runner reads it (actions/runner, ActionCommand: percent signs last)."""
    for character, code in ((",", "%2C"), (":", "%3A"), ("\n", "%0A"), ("\r", "%0D"), ("%", "%25")):
        text = text.replace(code, character)
    return text


@pytest.mark.parametrize(
    "text", ["plain", "100 % slower", "a: b, c", "two\nlines\r\n", "::error::", "%0A %25 %3A", "é \U0001f600", ""]
)
def test_an_annotation_is_one_line_that_says_what_it_should(text: str) -> None:
    (line,) = annotation_lines([Annotation(title=text, text=text, place=Place(file=f"a/{text}.py", line=7))])
    assert line.splitlines() == [line]
    _, command, data = line.split("::", 2)
    kind, _, told = command.partition(" ")
    properties = dict(one.split("=", 1) for one in told.split(","))
    assert (kind, _unescaped(data), properties["line"]) == ("error", text, "7")
    assert _unescaped(properties["title"]) == text
    assert _unescaped(properties["file"]) == f"a/{text}.py"


def test_the_file_and_line_are_github_s_own_names() -> None:
    one = Annotation(title="x", text="slower", place=Place(file="models/a.py", line=3))
    assert list(annotation_lines([one])) == ["::error file=models/a.py,line=3,title=x::slower"]
    assert list(annotation_lines([Annotation(title="x", text="slower")])) == ["::error title=x::slower"]


@pytest.mark.parametrize(
    ("count", "lines", "last"), [(0, 0, ""), (10, 10, "9"), (11, 10, "2 more"), (99, 10, "90 more")]
)
def test_no_more_errors_than_github_shows_and_the_last_counts_the_rest(count: int, lines: int, last: str) -> None:
    told = list(annotation_lines(Annotation(title=str(number), text="x") for number in range(count)))
    assert len(told) == lines
    assert not told or f"title={last}::" in told[-1]


def test_a_model_s_place_is_its_class_in_the_repository(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    root = Path(__file__).parents[2]
    monkeypatch.setenv("GITHUB_WORKSPACE", str(root))
    for model in MODELS:
        place = place_of(model)
        assert place is not None
        assert f"class {type(model).__name__}(" in (root / place.file).read_text().splitlines()[place.line - 1]
    monkeypatch.setenv("GITHUB_WORKSPACE", str(tmp_path))
    assert place_of(MODELS[0]) is None  # installed, and none of the repository's


def test_a_model_without_a_file_has_no_place() -> None:
    made = types.new_class("Made", (type(MODELS[0]),))
    made.__module__ = "nowhere"
    assert place_of(made()) is None


def test_a_step_s_summary_is_added_to_and_never_grows_too_long(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    path = tmp_path / "summary.md"
    monkeypatch.delenv("GITHUB_STEP_SUMMARY", raising=False)
    assert add_summary(lambda most: "never written") == []
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(path))
    assert add_summary(lambda most: f"first {most}\n") == []
    assert add_summary(lambda most: f"second {most}\n") == []
    first = f"first {SUMMARY_BYTES}\n"
    assert path.read_text() == f"{first}second {SUMMARY_BYTES - len(first)}\n"


def test_a_summary_that_cannot_be_written_is_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(tmp_path))
    (line,) = add_summary(lambda most: "x")
    assert str(tmp_path) in line
