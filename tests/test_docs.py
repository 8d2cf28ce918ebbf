"""The documentation keeps its word: its files load, its dates are computed, its commands exist, its output is real."""

from __future__ import annotations

import json
import re
import shlex
from dataclasses import dataclass
from datetime import date
from itertools import pairwise
from textwrap import indent
from typing import TYPE_CHECKING

import click
import pytest
import yaml

from config import goals as shape
from config.errors import GoalsFileError
from config.loader import load
from sync.cli.app import main
from sync.fleet import accounts
from sync.fleet.plans import project_of
from sync.schedule.model import Progress
from sync.schedule.scheduler import schedule
from tests.conftest import ROOT, Person

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from pydantic import BaseModel

    from config.project import Project
    from sync.schedule.model import ScheduledStep

PAGES = (ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md")))
GOALS_FILE = ROOT / "docs" / "goals-file.md"
# A whole file, items of `steps:`, a file with mistakes; and no goals file, but a workflow for GitHub.
KINDS_OF_YAML = {"yaml fleet", "yaml", "yaml fragment", "yaml wrong", "yaml workflow"}

_FENCED = re.compile(r"^```(?P<info>[^\n`]*)\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL)
_TABLE = re.compile(r"^\| step \|[^\n]*\n\|[-:| ]+\|\n(?:\|[^\n]*\n)+", re.MULTILINE)
_PLANNED_ON = re.compile(r"Planned on (\d{4}-\d\d-\d\d):")
_CODE_SPAN = re.compile(r"`([^`\n]+)`")
_LINK = re.compile(r"\]\(([^()\s]+)\)")


@dataclass(frozen=True)
class Block:
    """A fenced block of a page, or a table of dates (`info` is then "table")."""

    page: Path
    start: int
    info: str
    text: str

    @property
    def name(self) -> str:
        line = self.page.read_text("utf-8").count("\n", 0, self.start) + 1
        return f"{self.page.name}:{line}"


def _blocks(page: Path) -> list[Block]:
    """Return the fenced blocks and the tables of dates of a page, in their order."""
    text = page.read_text("utf-8")
    found = [Block(page, m.start(), m["info"].strip(), m["text"]) for m in _FENCED.finditer(text)]
    found += [Block(page, m.start(), "table", m[0]) for m in _TABLE.finditer(text)]
    return sorted(found, key=lambda block: block.start)


def _all(*kinds: str) -> list[Block]:
    return [block for page in PAGES for block in _blocks(page) if block.info in kinds]


def _named(block: Block) -> str:
    return block.name


def _load(folder: Path, text: str) -> Project:
    path = folder / "goals.yaml"
    path.write_text(text, encoding="utf-8")
    return load(path)


def _file_before(block: Block) -> Block:
    """Return the goals file that stands right before a block on its page."""
    files = [b for b in _blocks(block.page) if b.info in ("yaml", "yaml wrong") and b.start < block.start]
    assert files, f"{block.name}: no goals file stands before it"
    return files[-1]


# Goals files


def test_every_block_of_yaml_says_what_it_is() -> None:
    assert {b.info for page in PAGES for b in _blocks(page) if b.info.startswith(("yaml", "yml"))} <= KINDS_OF_YAML


@pytest.mark.parametrize("block", _all("yaml"), ids=_named)
def test_goals_files_load(block: Block, tmp_path: Path) -> None:
    assert _load(tmp_path, block.text).goals


def test_the_fleet_of_the_page_is_one(tmp_path: Path) -> None:
    template, fleet = _all("yaml fleet")
    (tmp_path / "card.yaml").write_text(template.text, "utf-8")
    (tmp_path / "people.csv").write_text("id,name,exam\nben,Ben,2027-09-30\n", "utf-8")
    (tmp_path / "people").mkdir()
    (tmp_path / "people" / "maria.yaml").write_text(
        "goals: [{id: card, title: Mine, deadline: 2027-08-15}]", encoding="utf-8"
    )
    path = tmp_path / "accounts.yaml"
    path.write_text(fleet.text.replace("goals: people", "with: {name: M, exam: 2027-08-01}, goals: people"), "utf-8")
    found = accounts.load(path)
    titles = [project_of(account, tmp_path).goals[0].title for account in found.accounts]
    assert (titles, found.problems) == (["Food handler card of Ben", "Mine"], ())


@pytest.mark.parametrize("block", _all("yaml fragment"), ids=_named)
def test_fragments_load_as_the_steps_of_a_goal(block: Block, tmp_path: Path) -> None:
    _load(tmp_path, f"goals:\n- title: A goal\n  deadline: 2027-08-15\n  steps:\n{indent(block.text, '    ')}")


@pytest.mark.parametrize("block", _all("yaml wrong"), ids=_named)
def test_wrong_files_are_refused(block: Block, tmp_path: Path) -> None:
    with pytest.raises(GoalsFileError):
        _load(tmp_path, block.text)


# Dates


@pytest.mark.parametrize("table", _all("table"), ids=_named)
def test_tables_show_the_dates_that_are_computed(table: Block, tmp_path: Path) -> None:
    file = _file_before(table)
    planned_on = _PLANNED_ON.findall(table.page.read_text("utf-8")[file.start : table.start])
    assert planned_on, "say between the file and the table: Planned on 2027-07-20:"
    planned = schedule(_load(tmp_path, file.text), Progress(), date.fromisoformat(planned_on[-1]))
    steps = list(planned.steps().values())
    rows = list(_rows(table.text))
    assert [row["step"] for row in rows] == [step.step.title for step in steps]
    assert rows == [_row(step, row) for step, row in zip(steps, rows, strict=True)]


def test_dates_are_shown_where_they_are_explained() -> None:
    assert len([table for table in _all("table") if table.page.name == "dates.md"]) >= 4


def _row(step: ScheduledStep, like: dict[str, str]) -> dict[str, str]:
    """Return a table's row for a step, with the columns of `like`, and with weekdays where that has them."""
    cells = {"step": step.step.title, "takes": str(step.step.takes or "flexible")}
    for column, day in (("start", step.start), ("due", step.due)):
        form = "%a %Y-%m-%d" if like[column][:1].isalpha() else "%Y-%m-%d"
        cells[column] = day.strftime(form) if day else "no date"
    return {column: cells[column] for column in like}


def _rows(table: str) -> Iterator[dict[str, str]]:
    head, _, *lines = ([cell.strip() for cell in line.strip("|").split("|")] for line in table.splitlines())
    for line in lines:
        yield dict(zip(head, line, strict=True))


# Commands, and what they print


def _shown_commands() -> list[str]:
    """Return every `backplan ...` that a page shows, in a sentence, at a prompt or in a block of its own."""
    found = set()
    for page in PAGES:
        text = page.read_text("utf-8")
        found |= {span for span in _CODE_SPAN.findall(_FENCED.sub("", text)) if span.startswith("backplan ")}
        lines = (line.removeprefix("$ ") for block in _blocks(page) for line in block.text.splitlines())
        found |= {line for line in lines if line.startswith("backplan ")}
    return sorted(found)


@pytest.mark.parametrize("shown", _shown_commands())
def test_commands_exist_with_the_options_shown(shown: str) -> None:
    _, name, *words = shlex.split(shown.partition(" > ")[0])
    assert name in main.commands
    command = main.commands[name]
    if isinstance(command, click.Group) and words:
        command = command.commands[words.pop(0)]
    _, left, _ = command.make_parser(click.Context(command)).parse_args(words)
    assert left == []


def test_options_named_alone_exist() -> None:
    groups = [command for command in main.commands.values() if isinstance(command, click.Group)]
    commands = [*main.commands.values(), *(command for group in groups for command in group.commands.values())]
    known = {name for command in commands for option in command.params for name in option.opts}
    known |= {"--help", "--version"}
    for page in PAGES:
        spans = _CODE_SPAN.findall(_FENCED.sub("", page.read_text("utf-8")))
        assert {span.split()[0] for span in spans if span.startswith("--")} <= known, page.name


@pytest.mark.parametrize("block", _all("console"), ids=_named)
def test_output_is_what_the_command_prints(block: Block, person: Person) -> None:
    person.writes(_file_before(block).text)
    blocks = _blocks(block.page)
    following = next(iter(blocks[blocks.index(block) + 1 :]), None)
    for command, shown in _transcript(block.text):
        done = person.run(*shlex.split(command)[1:])
        if shown:
            assert [line.rstrip() for line in (done.err + done.out).splitlines()] == shown
        else:  # the answer stands in the next block
            assert following is not None
            assert following.info == "json"
            assert done.json == json.loads(following.text)


def test_every_json_is_the_answer_to_a_command() -> None:
    for page in PAGES:
        for before, block in pairwise(_blocks(page)):
            assert block.info != "json" or before.info == "console", block.name


def _transcript(text: str) -> Iterator[tuple[str, list[str]]]:
    """Yield each command of a console block with the lines below it."""
    for part in re.split(r"^\$ ", text, flags=re.MULTILINE)[1:]:
        command, *lines = part.splitlines()
        yield command, [line.rstrip() for line in lines]


# Keys


@pytest.mark.parametrize(
    ("heading", "model"),
    [
        ("### File", shape.FileModel),
        ("### Goal", shape.GoalModel),
        ("### Step", shape.StepModel),
        ("### Group", shape.GroupModel),
        ("## Calendars", shape.CalendarModel),
    ],
)
def test_every_key_stands_in_its_table_and_no_other(heading: str, model: type[BaseModel]) -> None:
    section = re.split(r"^#", GOALS_FILE.read_text("utf-8").split(f"\n{heading}\n")[1], flags=re.MULTILINE)[0]
    listed = re.findall(r"^\| `(\w+)` \|", section, re.MULTILINE)
    assert sorted(listed) == sorted(_keys(model))


@pytest.mark.parametrize("model", [shape.LinkModel, shape.BeforeModel, shape.HangsOnModel])
def test_keys_of_long_forms_are_shown(model: type[BaseModel]) -> None:
    forms = re.findall(r"\{[^{}\n]*\}", GOALS_FILE.read_text("utf-8"))
    assert any(all(f"{key}: " in form for key in _keys(model)) for form in forms)


def _keys(model: type[BaseModel]) -> list[str]:
    return [field.alias or name for name, field in model.model_fields.items()]


# The action


@pytest.mark.parametrize(("heading", "key"), [("### Inputs", "inputs"), ("### Outputs", "outputs")])
def test_every_input_and_output_of_the_action_stands_in_its_table(heading: str, key: str) -> None:
    section = (ROOT / "docs" / "github-action.md").read_text("utf-8").split(f"\n{heading}\n")[1].split("\n#")[0]
    listed = re.findall(r"^\| `([\w-]+)` \|", section, re.MULTILINE)
    assert listed == list(yaml.safe_load((ROOT / "action.yml").read_text("utf-8"))[key])


# Links


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path) -> None:
    for target in _LINK.findall(_FENCED.sub("", page.read_text("utf-8"))):
        if re.match(r"[a-z]+:", target):
            continue
        path, _, anchor = target.partition("#")
        file = (page.parent / path) if path else page
        assert file.exists(), target
        assert not anchor or anchor in _anchors(file), target


def _anchors(page: Path) -> set[str]:
    """Return what a link into a page can name: its headings as GitHub spells them, and anchors of its own."""
    text = page.read_text("utf-8")
    headings = re.findall(r"^#+ (.+)$", _FENCED.sub("", text), re.MULTILINE)
    slugs = {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}
    return slugs | set(re.findall(r'<a id="([^"]+)">', text))


# A connector


def test_the_code_of_a_connector_is_the_code_that_runs() -> None:
    """Whole lines of it, perhaps further in; and the file is as short as the page says."""
    source = (ROOT / "connectors" / "gitlab.py").read_text("utf-8")
    shown = [block for block in _all("python", "toml") if block.page.name == "connectors.md"]
    assert len(shown) >= 8
    for block in shown:
        text = source if block.info == "python" else (ROOT / "pyproject.toml").read_text("utf-8")
        assert any(f"\n{indent(block.text, ' ' * depth)}" in text for depth in (0, 4, 8)), block.name
    assert source.count("\n") < 250
