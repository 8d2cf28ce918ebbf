"""The repository to start from: its files are those that `init --github` writes, and a form adds its first goal."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

import yaml

from config import goal_form, loader, new_goal
from config.source import Source
from config.templates import SHIPPED
from sync.cli import starter, workflow_template
from sync.cli.init_file import templates

if TYPE_CHECKING:
    from pathlib import Path

    from tests.conftest import Person

GOALS = starter.FOLDER / "goals.yaml"


def test_the_folder_has_what_is_written(tmp_path: Path) -> None:
    expected = starter.files("goals.yaml", ["markdown"], None, templates(tmp_path))
    there = {path.relative_to(starter.FOLDER).as_posix() for path in starter.FOLDER.rglob("*") if path.is_file()}
    assert there == {*expected, "goals.yaml"}
    for name, text in expected.items():
        assert (starter.FOLDER / name).read_text("utf-8") == text, f"{name}: run scripts/starter.py"


def test_its_goals_file_is_empty_until_a_form_adds_a_goal(tmp_path: Path) -> None:
    assert loader.load(GOALS).goals == ()
    goal = new_goal.NewGoal("swim-1", "Swim", date(2027, 9, 15), ("Get wet",))
    path = tmp_path / "goals.yaml"
    path.write_text(new_goal.add(Source.read(GOALS, "goals.yaml"), goal), "utf-8")
    assert [one.id for one in loader.load(path).goals] == ["swim-1"]


def test_init_writes_the_form_with_ones_own_templates_and_never_over_a_file(person: Person) -> None:
    person.writes("goals:\n- title: 'Ours: \"x\"'\n  deadline: 2027-01-01\n  steps: [a]\n", "templates/ours.yaml")
    (person.folder / "README.md").write_text("mine", "utf-8")
    done = person.run(
        "init", "--github", "--title", "Swim", "--deadline", "2028-06-16", "--connector", "todoist", "--json"
    )
    assert done.json["written"] == ["goals.yaml", "goals.schema.json", workflow_template.PATH, goal_form.PATH]
    assert (person.folder / "README.md").read_text("utf-8") == "mine"
    workflow = (person.folder / workflow_template.PATH).read_text("utf-8")
    assert workflow == workflow_template.text("goals.yaml", ["todoist"], forms=True)
    form = yaml.safe_load((person.folder / goal_form.PATH).read_text("utf-8"))
    assert form["labels"] == [goal_form.LABEL]
    (choice,) = [field["attributes"] for field in form["body"] if field["type"] == "dropdown"]
    assert 'Ours: "x" (ours)' in choice["options"]
    assert len(choice["options"]) == 1 + len([*SHIPPED.glob("*.yaml")])
    both = person.run(
        "init", "--github", "--no-workflow", "--goals", "other.yaml", "--title", "a", "--deadline", "2028-01-01"
    )
    assert (both.code, "--github is for the workflow" in both.err) == (64, True)


def test_a_workflow_takes_in_forms_with_no_more_rights_than_that_needs() -> None:
    for apps in (["markdown"], ["todoist"], ["github"]):
        plain, found = (yaml.safe_load(workflow_template.text("goals.yaml", apps, forms=on)) for on in (False, True))
        rights = {"contents": "write", "issues": "write"}
        assert found["jobs"]["sync"]["permissions"] == rights
        assert found["jobs"]["plan"] == plain["jobs"]["plan"]
        assert found["jobs"]["sync"]["steps"][1]["with"]["forms"] is True
        assert "opened" in found[True]["issues"]["types"]
        only_forms = f"contains(github.event.issue.labels.*.name, '{goal_form.LABEL}')" in found["jobs"]["sync"]["if"]
        assert only_forms == (apps != ["github"])
