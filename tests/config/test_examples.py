"""Everything that people copy from works: the examples that ship, and the goals files shown in the documentation."""

from __future__ import annotations

import re
import textwrap
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from config import loader
from config.errors import BackplanError
from config.templates import SHIPPED, Templates

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from config.project import Project

ROOT = Path(__file__).parents[2]
README = ROOT / "README.md"
EXAMPLES = sorted(SHIPPED.glob("*.yaml"))
DOCUMENTS = [README, *sorted((ROOT / "docs").glob("*.md"))]
_FENCED = re.compile(
    r"^(?P<indent> *)```ya?ml\b(?P<kind>[^\n]*)\n(?P<body>.*?)^(?P=indent)```", re.MULTILINE | re.DOTALL
)


def goals_files(document: Path) -> Iterator[tuple[int, str, str]]:
    """Yield line, text and kind of each goals file that a document shows; those of the kind `wrong` hold mistakes."""
    text = document.read_text(encoding="utf-8") if document.is_file() else ""
    for match in _FENCED.finditer(text):
        body = textwrap.dedent(match["body"])
        if re.search(r"^goals:", body, re.MULTILINE) and match["kind"].strip() != "fleet":
            yield text.count("\n", 0, match.start()) + 1, body, match["kind"].strip()


def test_there_are_examples() -> None:
    assert len(EXAMPLES) == 8


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_an_example_loads_and_is_called_after_its_goal(path: Path) -> None:
    (goal,) = loader.load(path).goals
    assert goal.id == path.stem
    assert not goal.titled_id
    assert goal.done_when
    assert [step.key for step in goal.steps if step.titled_id] == []


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_an_example_is_a_template(load: Callable[[str], Project], path: Path) -> None:
    (example,) = loader.load(path).goals
    text = f"goals:\n- title: Mine\n  template: {path.stem}\n  deadline: 2031-01-02\n"
    (goal,) = load(text).goals
    assert (goal.id, goal.title, f"{goal.deadline}") == ("mine", "Mine", "2031-01-02")
    assert goal.done_when == example.done_when
    assert [step.id for step in goal.steps] == [step.id for step in example.steps]
    for ours, theirs in zip(goal.steps, example.steps, strict=True):
        assert (ours.title, ours.takes, ours.notes) == (theirs.title, theirs.takes, theirs.notes)
        assert [link.key for link in ours.after] == [link.key.replace(path.stem, "mine", 1) for link in theirs.after]


def test_templates_are_listed_by_name(tmp_path: Path) -> None:
    assert Templates(tmp_path).names() == [path.stem for path in EXAMPLES]


def test_the_readme_shows_a_goals_file() -> None:
    assert README.is_file()
    assert list(goals_files(README))


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_goals_files_in_the_documentation_load_unless_they_show_mistakes(document: Path, tmp_path: Path) -> None:
    said: dict[str, str] = {}
    expected: set[str] = set()
    for line, text, kind in goals_files(document):
        place = f"{document.name}:{line}"
        path = tmp_path / f"line-{line}" / "goals.yaml"
        path.parent.mkdir()
        path.write_text(text, encoding="utf-8")
        if kind == "wrong":
            expected.add(place)
        try:
            loader.load(path)
        except BackplanError as error:
            said[place] = str(error)
    assert said.keys() == expected, said
