"""Which stacks there are: built in, from the user's tables; pinned files; every refusal."""

import dataclasses
import re
from pathlib import Path
from typing import Any

import pytest

from perfsuite.errors import UsageError
from perfsuite.settings import read_settings
from perfsuite.stacks.definitions import BUILT_IN, LOCKED, StackDefinition, find, pinned_text, stack_definitions
from perfsuite.stacks.folders import stack_folder

HASHES = "six==1.16.0 \\\n    --hash=sha256:aa \\\n    --hash=sha256:bb\n"


def define(root: Path, table: object, name: str = "mine") -> StackDefinition:
    return stack_definitions({name: table}, root)[name]


def test_the_built_in_stacks_are_there_without_any_table(tmp_path: Path) -> None:
    assert list(stack_definitions({}, tmp_path)) == [
        "ipex-2.6", "ipex-2.7", "ipex-2.8", "torch-2.8", "torch-2.14", "openvino",
    ]  # fmt: skip


def test_a_users_stack_with_everything(tmp_path: Path) -> None:
    table = {"requirements": ["six==1.16.0"], "python": "3.12", "environment": {"ONEDNN_VERBOSE": "1"}}
    assert define(tmp_path, table) == StackDefinition(
        name="mine",
        requirements=("six==1.16.0",),
        python="3.12",
        environment={"ONEDNN_VERBOSE": "1"},
        root=tmp_path,
    )


def test_a_users_stack_replaces_a_built_in_one(tmp_path: Path) -> None:
    mine = define(tmp_path, {"requirements": ["torch==2.8.0"]}, "ipex-2.8")
    assert (mine.builtin, mine.lock, mine.requirements) == (False, None, ("torch==2.8.0",))


def test_an_interpreter_is_relative_to_the_root(tmp_path: Path) -> None:
    assert define(tmp_path, {"interpreter": "env/bin/python"}).interpreter == tmp_path / "env/bin/python"
    assert define(tmp_path, {"interpreter": "/opt/bin/python"}).interpreter == Path("/opt/bin/python")


def test_a_requirements_file_is_read_without_its_comments(tmp_path: Path) -> None:
    (tmp_path / "r.txt").write_text("# for us\nsix==1.16.0  # pinned\n\npackaging \\\n  >=24\nx @ file:///a#egg=x\n")
    mine = define(tmp_path, {"requirements": "r.txt"})
    assert [re.sub(r"\s+", " ", line) for line in mine.requirements] == [
        "six==1.16.0",
        "packaging >=24",
        "x @ file:///a#egg=x",
    ]
    assert mine.lock is None


def test_a_requirements_file_with_hashes_is_its_own_pinned_file(tmp_path: Path) -> None:
    (tmp_path / "r.txt").write_text(HASHES)
    mine = define(tmp_path, {"requirements": "r.txt"})
    assert (mine.requirements, mine.lock) == (("six==1.16.0",), tmp_path / "r.txt")
    assert pinned_text(mine) == HASHES


def test_a_pinned_file_in_the_project_is_found(tmp_path: Path) -> None:
    (tmp_path / "stacks").mkdir()
    (tmp_path / "stacks" / "mine.txt").write_text(HASHES)
    mine = define(tmp_path, {"requirements": ["six==1.16.0"]})
    assert mine.lock == mine.own_lock == tmp_path / "stacks" / "mine.txt"


@pytest.mark.parametrize(
    ("text", "refusal"),
    [
        (f"# made from requirements 0123456789ab\n{HASHES}", "made from other requirements .* lock mine"),
        ("# nothing\n", "pins nothing; .* lock mine"),
    ],
)
def test_a_pinned_file_that_does_not_fit_is_refused(tmp_path: Path, text: str, refusal: str) -> None:
    (tmp_path / "stacks").mkdir()
    (tmp_path / "stacks" / "mine.txt").write_text(text)
    with pytest.raises(UsageError, match=refusal):
        pinned_text(define(tmp_path, {"requirements": ["six==1.16.0"]}))


def test_a_pinned_file_that_is_gone_is_refused() -> None:
    with pytest.raises(UsageError, match=r"cannot be read .* lock mine"):
        pinned_text(StackDefinition(name="mine", requirements=("six",), lock=Path("/nowhere/mine.txt")))


@pytest.mark.parametrize(
    ("table", "refusal"),
    [
        ("six", "must be a table with requirements or interpreter, not 'six'"),
        ({}, "must have either requirements or interpreter; it has neither"),
        ({"python": "3.12"}, "it has neither"),
        ({"requirements": ["six"], "interpreter": "python"}, "it has both"),
        ({"requirement": ["six"]}, "unknown keys requirement; known are requirements, python, environment, interpr"),
        ({"9": {"requirements": ["six"]}}, r'a name with a dot needs quotes: \[tool.perfsuite.stacks."mine.9"\]'),
        ({"requirements": 3}, "requirements must be a list of requirements or the path"),
        ({"requirements": []}, "requirements is empty"),
        ({"requirements": [3]}, "a requirement must be a string .* not 3"),
        ({"requirements": [""]}, "a requirement must be a string"),
        ({"requirements": ["six\npackaging"]}, "a requirement must be a string"),
        ({"requirements": ["-r other.txt"]}, "'-r other.txt' is an option, not a requirement"),
        ({"requirements": "absent.txt"}, "absent.txt, which cannot be read"),
        ({"requirements": "empty.txt"}, "empty.txt: requirements is empty"),
        ({"requirements": "options.txt"}, "options.txt: '--pre' is an option"),
        ({"requirements": ["six"], "python": 3.12}, 'python must be a version in quotes, such as "3.12", not 3.12'),
        ({"requirements": ["six"], "python": "three"}, 'python must be a version such as "3.12", not'),
        ({"requirements": ["six"], "environment": ["A=1"]}, "environment must be a table of strings"),
        ({"requirements": ["six"], "environment": {"A": 1}}, "environment.A must be a string, not 1; put it in quotes"),
        ({"interpreter": 3}, "interpreter must be the path of a python, not 3"),
        ({"interpreter": "python", "python": "3.12"}, "leave out python"),
    ],
)
def test_a_bad_table_is_refused_in_one_line(tmp_path: Path, table: object, refusal: str) -> None:
    (tmp_path / "empty.txt").write_text("# nothing\n")
    (tmp_path / "options.txt").write_text("six\n--pre\n")
    with pytest.raises(UsageError, match=rf"^\[tool\.perfsuite\.stacks\.mine\].*{refusal}") as refused:
        define(tmp_path, table)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize("name", ["current", "", "a/b", "..", ".a", "a b", "-a", "ä"])
def test_a_name_unfit_for_a_folder_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(UsageError, match="a stack cannot be named"):
        define(tmp_path, {"requirements": ["six"]}, name)


def test_an_unknown_stack_is_refused_beside_the_known(tmp_path: Path) -> None:
    definitions = stack_definitions({}, tmp_path)
    assert find("ipex-2.8", definitions) is definitions["ipex-2.8"]
    with pytest.raises(UsageError, match=r"no stack ipex-2\.9; there are ipex-2\.6, .*torch-2\.14"):
        find("ipex-2.9", definitions)
    with pytest.raises(UsageError, match="current is the interpreter that runs perfsuite"):
        find("current", definitions)


def test_settings_hand_the_tables_on(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text('[tool.perfsuite.stacks."mine-1.0"]\nrequirements = ["six"]\n')
    assert read_settings(tmp_path, {}).stacks == {"mine-1.0": {"requirements": ["six"]}}


@pytest.mark.parametrize(
    "other",
    [{"requirements": ("six==1.17.0",)}, {"python": "3.12"}, {"name": "other"}],
    ids=["requirements", "python", "name"],
)
def test_another_definition_has_another_folder(other: dict[str, Any]) -> None:
    stack = StackDefinition(name="mine", requirements=("six==1.16.0",), python="3.11")
    assert stack_folder(stack, None) == stack_folder(dataclasses.replace(stack, environment={"A": "1"}), None)
    assert stack_folder(stack, None) != stack_folder(dataclasses.replace(stack, **other), None)
    assert stack_folder(stack, None) != stack_folder(stack, "cpu")


def test_comments_in_a_pinned_file_do_not_change_the_folder(tmp_path: Path) -> None:
    lock = tmp_path / "mine.txt"
    stack = StackDefinition(name="mine", requirements=("six",), lock=lock)
    lock.write_text(HASHES)
    plain = stack_folder(stack, None)
    lock.write_text(f"# by hand\n{HASHES}")
    assert stack_folder(stack, None) == plain
    lock.write_text(HASHES.replace("aa", "cc"))
    assert stack_folder(stack, None) != plain


@pytest.mark.parametrize("stack", BUILT_IN, ids=lambda stack: stack.name)
def test_a_built_in_pinned_file_is_whole_and_names_no_place(stack: StackDefinition) -> None:
    text = (LOCKED / f"{stack.name}.txt").read_text(encoding="utf-8")
    assert not re.search(r"://|/|\bindex\b|--(?!hash=sha256:)", text.replace("perfsuite stacks lock", "")), (
        "an address, a path or an option"
    )
    pinned = pinned_text(stack)  # refuses one made from other requirements
    assert pinned is not None
    entries = pinned.replace("\\\n", "").splitlines()
    assert len(entries) > 20
    for entry in entries:
        assert re.fullmatch(r"[a-z0-9.-]+==[\w.!+-]+( ; [^\\]+?)?(\s+--hash=sha256:[0-9a-f]{64})+", entry), entry
    names = {entry.partition("==")[0] for entry in entries}
    assert {re.split("[=<]", line)[0] for line in stack.requirements} <= names


def test_no_pinned_file_is_without_its_stack() -> None:
    assert {path.stem for path in LOCKED.iterdir()} == {stack.name for stack in BUILT_IN}
