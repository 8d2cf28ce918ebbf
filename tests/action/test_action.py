"""The action's command by itself: its inputs, its outputs and annotations, and that no secret is in any of them."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from config.errors import InputError, Place
from sync.action import workflow_commands
from sync.action.inputs import Inputs
from tests.action.steps import Step
from tests.conftest import FOOD_HANDLER, ROOT, Person

if TYPE_CHECKING:
    from pathlib import Path

TOKEN = "kanarie" + "-songbird-0123456789"
GOALS = "namespace: me/goals\nsync: [todoist]\n" + FOOD_HANDLER


@pytest.fixture
def step(person: Person) -> Step:
    return Step(person)


# Inputs


@pytest.mark.parametrize(
    ("inputs", "said"),
    [
        ({"INPUT_COMMAND": "snyc"}, "the input `command` of the workflow is `snyc`; it takes sync or plan or check"),
        ({"INPUT_FAIL_ON": "never"}, "`fail-on` of the workflow is `never`; it takes error or late"),
        ({"INPUT_COMMENT": "yes"}, "`comment` of the workflow is `yes`; it takes false or true"),
        ({"INPUT_ALLOW_MASS_CHANGE": "1"}, "`allow-mass-change` of the workflow is `1`"),
    ],
)
def test_a_wrong_input_is_named_with_what_it_takes(inputs: dict[str, str], said: str) -> None:
    with pytest.raises(InputError, match=re.escape(said)):
        Inputs.of(inputs)


@pytest.mark.parametrize(
    ("inputs", "said"),
    [
        (
            {"INPUT_CONNECTOR": "todoist"},
            "the input `connector` of the workflow is `todoist`, and the goals file names",
        ),
        (
            {"INPUT_GOALS": "gaols.yaml"},
            "gaols.yaml: there is no such file. There is `goals.yaml`: rename it, or name it in the workflow",
        ),
        ({"INPUT_VERSION": "99"}, "requires version 99 of backplan, and this is 0.1.0"),
        ({"INPUT_VERSION": "0.1.00"}, "requires version 0.1.00"),
    ],
)
def test_what_cannot_be_is_said_and_the_run_is_red(step: Step, inputs: dict[str, str], said: str) -> None:
    step.person.writes(FOOD_HANDLER)
    done = step.run(**inputs)
    assert done.code == 64
    assert f"::error title=backplan::{'' if said.startswith(('the', 'gaols')) else 'the workflow '}{said}" in done.out
    assert "🔴 backplan stopped" in step.summary
    assert not step.person.todo.exists()


@pytest.mark.parametrize(("command", "code"), [("check", 64), ("plan", 1), ("sync", 1)])
def test_a_rename_in_doubt_is_shown_in_its_line(step: Step, command: str, code: int) -> None:
    goals = "goals:\n- title: Read\n  deadline: 2027-09-01\n  steps: [{}]\n"
    step.person.writes(goals.format("a, b"))
    assert step.run().code == 0
    before = step.person.todo.read_text("utf-8")
    step.person.writes(goals.format("c, d"))
    done = step.run(INPUT_COMMAND=command)
    assert done.code == code
    assert "::error title=backplan,file=goals.yaml,line=4,col=11::several steps changed their titles here" in done.out
    assert "several steps changed their titles here" in step.summary
    assert step.person.todo.read_text("utf-8") == before


def test_the_version_may_be_named(step: Step) -> None:
    step.person.writes(FOOD_HANDLER)
    assert all(step.run(INPUT_VERSION=version).code == 0 for version in ("0", "0.1", "0.1.0"))


def test_who_forgot_the_checkout_is_told_so(step: Step, tmp_path_factory: pytest.TempPathFactory) -> None:
    done = step.run(RUNNER_TEMP=str(tmp_path_factory.mktemp("temp")))
    assert done.code == 64
    assert "put the step `actions/checkout` before backplan's" in done.out


@pytest.mark.parametrize("name", ["goals.yml", "Goals.yaml", "my-goals.yaml", "goals.yaml.txt", "plans/goals.yaml"])
def test_a_goals_file_elsewhere_is_found_and_named(step: Step, name: str) -> None:
    path = step.person.folder / name
    path.parent.mkdir(exist_ok=True)
    path.write_text(FOOD_HANDLER, "utf-8")
    done = step.run()
    assert done.code == 64
    assert f"There is `{name}`: rename it, or name it in the workflow, as `goals: {name}` below `with:`." in done.out


def test_where_there_is_no_goals_file_it_is_said_how_to_make_one(step: Step) -> None:
    (step.person.folder / "README.md").write_text("Hello\n", "utf-8")
    assert "Add file > Create new file > goals.yaml" in step.run().out


def test_a_token_in_the_workflow_itself_is_refused(step: Step) -> None:
    step.person.writes(FOOD_HANDLER)
    path = step.person.folder / ".github" / "workflows" / "mine.yml"
    path.parent.mkdir(parents=True)
    path.write_text(f"jobs:\n  todoist-token: {TOKEN}\n", "utf-8")
    done = step.run(TODOIST_API_TOKEN=TOKEN)
    assert done.code == 64
    place = "::error title=backplan,file=.github/workflows/mine.yml,line=2,col=18::"
    assert f"{place}the token TODOIST_API_TOKEN is written" in done.out
    assert TOKEN not in done.out + step.summary
    assert not step.person.todo.exists()


def test_who_forgot_to_name_the_app_is_told_so(step: Step) -> None:
    step.person.writes(FOOD_HANDLER)
    done = step.run(TODOIST_API_TOKEN=TOKEN)
    assert done.code == 0
    assert "::warning title=backplan::The workflow passes a token for Todoist" in done.out
    assert "Write `sync: [todoist]` at the top of the goals file" in step.summary


def test_the_page_is_written_where_the_workflow_wants_it(step: Step) -> None:
    step.person.writes(FOOD_HANDLER)
    assert step.run().code == 0
    assert not list(step.person.folder.rglob("*.html"))
    assert step.run(INPUT_PAGE="out", INPUT_PAGE_URL="https://me.github.io/goals").code == 0
    assert "Complete my food handler certification" in (step.person.folder / "out" / "index.html").read_text("utf-8")
    calendar = (step.person.folder / "out" / "calendar.ics").read_text("utf-8")
    assert "URL:https://me.github.io/goals/goal/food-handler.html" in calendar


def test_every_input_is_handed_on() -> None:
    text = (ROOT / "action.yml").read_text("utf-8")
    asked = set(re.findall(r"inputs\.([\w-]+)", text))
    assert asked == set(re.findall(r"^  ([\w-]+):\n    description", text.split("outputs:")[0], re.MULTILINE))
    shell = re.findall(r"run: (.+)", text)
    assert shell
    assert not [line for line in shell if "${{" in line]


# Commands


def test_check_finds_no_mistake_and_writes_nothing(step: Step) -> None:
    step.person.writes(FOOD_HANDLER)
    assert step.run(INPUT_COMMAND="check").code == 0
    assert step.summary == "## 🟢 backplan: no mistakes: 1 goal with 6 steps\n\n"
    assert step.outputs["changed"] == "false"
    assert not step.person.todo.exists()


def test_the_plan_is_left_for_later_steps_and_can_be_undone(step: Step) -> None:
    step.person.writes(FOOD_HANDLER)
    assert step.run().code == 0
    assert step.outputs["created"] == "7"
    journal = step.outputs["plan-json"]
    assert (
        json.loads(step.person.run("undo", journal, "--allow-mass-change", "--json").out)["connectors"][0]["summary"][
            "remove"
        ]
        == 7
    )


def test_a_pull_request_is_only_planned(step: Step) -> None:
    step.person.writes(FOOD_HANDLER)
    assert step.run("pull_request").code == 0
    assert "7 changes to make" in step.summary
    assert "This is a pull request, so it is only planned" in step.summary
    assert step.outputs["created"] == "7"
    assert not step.person.todo.exists()


def test_many_removals_are_refused_and_the_input_that_allows_them_is_named(step: Step) -> None:
    step.person.writes(FOOD_HANDLER)
    step.run()
    step.person.writes("goals: []\n")
    refused = step.run()
    assert refused.code == 3
    assert "the input `allow-mass-change: true`" in refused.out
    assert step.run(INPUT_ALLOW_MASS_CHANGE="true").code == 0
    assert step.outputs["removed"] == "7"


def test_a_lost_memory_is_refused_and_the_input_that_starts_a_new_one_is_named(step: Step) -> None:
    step.person.writes(FOOD_HANDLER)
    step.run()
    text = step.person.todo.read_text("utf-8")
    step.person.todo.write_text(text[: text.index("<!-- backplan's memory")], "utf-8")
    refused = step.run()
    assert refused.code == 3
    assert "the input `rebuild: true`" in refused.out
    assert step.run(INPUT_REBUILD="true").code == 0
    assert "a new memory was started" in step.summary
    assert step.run().code == 0
    assert step.outputs["changed"] == "false"


def test_a_goal_that_fails_is_told(step: Step) -> None:
    step.person.writes(
        "when_late: fail\ngoals: [{title: G, deadline: 2027-07-21, steps: [{title: A, takes: 9 days}]}]\n"
    )
    done = step.run()
    assert done.code == 1
    assert "::error title=backplan::g does not fit before its deadline" in done.out
    assert "does not fit before its deadline" in step.summary


def test_an_unexpected_error_is_a_sentence(step: Step) -> None:
    step.person.writes(FOOD_HANDLER)
    done = step.run(BACKPLAN_TODAY="someday")
    assert done.code == 1
    assert "::error title=backplan::unexpected ValueError" in done.out
    assert "please report it" in step.summary


def test_no_secret_is_in_anything_that_is_left(step: Step) -> None:
    step.person.writes(GOALS.replace("Take the test", f"Take {TOKEN}").replace("deadline: 2027-08-15", "deadline: x"))
    for text in (GOALS.replace("deadline: 2027-08-15", f"deadline: {TOKEN}"), FOOD_HANDLER.replace("Take the", TOKEN)):
        step.person.writes(text)
        done = step.run(TODOIST_API_TOKEN=TOKEN, INPUT_COMMAND="plan")
        left = [path.read_text("utf-8") for path in step.person.folder.rglob("*") if path.suffix in (".md", ".json", "")
                and path.is_file()]  # fmt: skip
        assert len(left) >= 3
        assert not any(part in text for text in [*left, done.out, done.err] for part in (TOKEN, "songbird"))


# Annotations


@given(message=st.text(), file=st.text(min_size=1), line=st.integers(1))
@example(message="wrong", file="\ud800", line=1)
@example(message="wrong", file="\0", line=1)
def test_whatever_an_annotation_says_it_is_one_order(message: str, file: str, line: int) -> None:
    written = workflow_commands.annotation("error", message, Place(file, line, 3))
    match = re.fullmatch(r"::error ([^\r\n]*?)::([^\r\n]*)", written)
    assert match is not None
    assert [part.split("=")[0] for part in match[1].split(",")] == ["title", "file", "line", "col"]
    assert match[1].endswith(f",line={line},col=3")
    assert "%" not in re.sub(r"%(?:25|0A)", "", match[2])


@pytest.mark.parametrize(
    ("message", "place"),
    [
        ("plans/goals.yaml:3:14: wrong", Place("plans/goals.yaml", 3, 14)),
        ("C:\\goals.yaml:3:14: wrong", Place("C:\\goals.yaml", 3, 14)),
        ("todoist: 1:2: wrong", None),
        ("no place", None),
    ],
)
def test_a_message_that_begins_with_a_place_is_shown_there(message: str, place: Place | None) -> None:
    assert workflow_commands.placed(message)[0] == place


def test_a_file_is_named_from_the_root_of_the_repository(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    monkeypatch.setenv("GITHUB_WORKSPACE", str(tmp_path))
    (tmp_path / "plans").mkdir()
    monkeypatch.chdir(tmp_path / "plans")
    for name in ("goals.yaml", str(tmp_path / "plans" / "goals.yaml")):
        workflow_commands.annotate("error", "wrong", Place(name, 1, 2))
        assert b"file=plans/goals.yaml,line=1" in capfdbinary.readouterr().out
