"""Goals by form: the action as a process, a GitHub over HTTP that has the issues, and real git with a real remote."""

from __future__ import annotations

import itertools
import json
import os
import random
import signal
import subprocess
import sys
from datetime import date
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from config import goal_form
from config.errors import BackplanError, InputError
from sync.action.inputs import Inputs
from sync.action.main import run
from tests import repository
from tests.action.checkout import Checkout
from tests.action.steps import Step
from tests.conftest import ROOT, Done, Person
from tests.servers.github import GitHub, Issue, User
from tests.servers.github_server import GitHubServer
from tests.servers.http import Fault

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

GOALS = (
    "# mine\nnamespace: me/goals\ngoals:\n  - title: Move house # soon\n    deadline: 2027-12-01\n    steps: [Pack]\n"
)
ID = "complete-my-food-handler-1"
STEPS = "- Find a course provider\n- Take the test"
ADDED = (
    f"  - id: {ID}\n    title: Complete my food handler certification\n    deadline: 2027-09-15\n"
    "    steps:\n      - Find a course provider\n      - Take the test\n"
)


def body(
    day: str = "2027-09-15", steps: str = STEPS, template: str = "_No response_", why: str = "_No response_"
) -> str:
    """Return what GitHub makes of a form that was filled in."""
    fields = {"By which day?": day, "Steps": steps, "Template": template, "Why?": why}
    return "\n\n".join(f"### {name}\n\n{value}" for name, value in fields.items())


class Place:
    """A repository at GitHub whose workflow takes in forms, and its owner."""

    def __init__(self, person: Person, server: GitHubServer) -> None:
        self.person, self.server = person, server
        self.checkout = Checkout(person.folder, server)
        self.checkout.push({"goals.yaml": GOALS, ".gitignore": "/temp\ngithub_*\nevent.json\ntodo.md\n"})
        token = server.service.workflow_token(server.service.repo, contents="write", issues="write").text
        self.checkout.env |= {"WORKFLOW_TOKEN": token, "INPUT_FORMS": "true"}
        self.step = Step(person)
        self.github.label(self.github.repo, goal_form.LABEL)

    @property
    def github(self) -> GitHub:
        return self.server.service

    def run(self, *, sender: User | None = None, about: Issue | None = None, env: dict[str, str] | None = None) -> Done:
        """Run the action as a step of a workflow, for an event."""
        event: dict[str, Any] = {"sender": {"login": (sender or self.github.owner).login}}
        if about:
            event["issue"] = {"number": about.number}
        path = self.person.folder / "event.json"
        path.write_text(json.dumps(event), "utf-8")
        return self._run({**self.checkout.env, "GITHUB_EVENT_PATH": str(path), **(env or {})})

    def _run(self, env: dict[str, str]) -> Done:
        return self.step.run("issues", **env)

    def fills_in(
        self, text: str, title: str = "Complete my food handler certification", user: User | None = None
    ) -> Issue:
        return self.github.fill_in(title, text, goal_form.LABEL, user)

    @property
    def remote(self) -> Path:
        assert self.github.repo.git
        return self.github.repo.git

    def goals(self) -> str:
        """The goals file as the branch has it."""
        return repository.git(self.remote, "show", "main:goals.yaml")

    def refuses_pushes(self) -> Path:
        hook = self.remote / "hooks" / "pre-receive"
        hook.parent.mkdir(exist_ok=True)
        hook.write_text("#!/bin/sh\necho 'GH006: Protected branch update failed' >&2\nexit 1\n", "utf-8")
        hook.chmod(0o755)
        return hook


class Near(Place):
    """The same without a process: a tenth of the time."""

    def __init__(self, folder: Path, server: GitHubServer, capfd: pytest.CaptureFixture[str]) -> None:
        folder.mkdir()
        super().__init__(Person(folder), server)
        self._capfd = capfd

    def _run(self, env: dict[str, str]) -> Done:
        with pytest.MonkeyPatch.context() as patch:
            patch.chdir(self.person.folder)
            for name, value in {**env, "BACKPLAN_TODAY": "2027-07-20"}.items():
                patch.setenv(name, value)
            folder = self.person.folder / "temp"
            folder.mkdir(exist_ok=True)
            try:
                code = run(Inputs.of(os.environ), folder).exit_code
            except BackplanError as error:
                code = error.exit_code
        return Done(code, *self._capfd.readouterr(), 0.0)


@pytest.fixture
def near(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> Iterator[Place]:
    with GitHubServer(GitHub()) as server:
        yield Near(tmp_path / "ours", server, capfd)


@pytest.fixture
def place(person: Person) -> Iterator[Place]:
    with GitHubServer(GitHub()) as server:
        yield Place(person, server)


def answers(issue: Issue) -> list[str]:
    return [comment.body for comment in issue.comments]


def test_a_form_becomes_a_goal_with_tasks_an_answer_and_an_end(place: Place) -> None:
    issue = place.fills_in(body())
    done = place.run(about=issue)
    assert done.code == 0, done.out
    assert place.goals() == GOALS + ADDED
    assert "Take the test" in place.person.todo.read_text("utf-8")
    assert (issue.state, issue.state_reason) == ("closed", "completed")
    (answer,) = answers(issue)
    assert f"The goal is `{ID}` in `goals.yaml`" in answer
    assert "| Take the test |" in answer
    assert "Wed 15 Sep" in answer
    before = place.server.count()
    assert place.run().code == 0
    assert (place.goals(), len(answers(issue))) == (GOALS + ADDED, 1)
    assert place.server.count() - before <= 3  # the age of the file, the label, the open forms


def test_the_first_run_makes_the_label_that_forms_get(near: Place) -> None:
    near.github.delete_label(goal_form.LABEL)
    assert near.run().code == 0
    assert near.fills_in(body()).labels


def test_a_template_and_a_reason(near: Place) -> None:
    near.fills_in(
        body(steps="_No response_", template="Get married (wedding)", why="Because\n\nI: want # to"), "Our wedding"
    )
    assert near.run().code == 0
    goal = yaml.safe_load(near.goals())["goals"][1]
    assert (goal["template"], goal["why"], goal["id"]) == ("wedding", "Because\nI: want # to", "our-wedding-1")
    assert "steps" not in goal


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"day": ""}, "The day is missing"),
        ({"day": "next Friday"}, "is no day: write it as year-month-day"),
        ({"day": "05/08/2027"}, "`2027-08-05` or `2027-05-08`, as you mean it"),
        ({"day": "2027-02-30"}, "The calendar has no day `2027-02-30`"),
        ({"day": "2027-07-19"}, "Mon 19 Jul 2027 has passed"),
        ({"steps": "\n".join(f"Step {number}" for number in range(200))}, "There are 200 steps"),
        ({"steps": ""}, "There are no steps"),
        ({"steps": "Call\ncall"}, "have the same name"),
        ({"steps": "🎂"}, "has no letters or digits"),
        ({"steps": "x" * 501}, "has more than 500 characters"),
        ({"template": "Get married (wedding)"}, "A template brings its own steps"),
        ({"template": "weding", "steps": ""}, "There is no template “weding”"),
        ({"steps": "### By which day?"}, "is there twice: keep one of them"),
    ],
)
def test_a_mistake_is_a_sentence(given: dict[str, str], said: str) -> None:
    with pytest.raises(InputError) as error:
        goal_form.read(1, "Learn", body(**given), ["wedding"], date(2027, 7, 20))
    assert said in str(error.value)


def test_a_mistake_is_answered_once_and_an_edit_tries_again(near: Place) -> None:
    issue = near.fills_in(body("tomorrow"))
    for _ in range(2):
        assert near.run(about=issue).code == 0
        (answer,) = answers(issue)
        assert "“tomorrow” is no day" in answer
        assert (issue.state, near.goals()) == ("open", GOALS)
    near.github.edit(issue.number, body=body("2027-01-01"))
    near.run(about=issue)
    assert "has passed" in answers(issue)[1]
    near.github.edit(issue.number, body=body())
    near.run(about=issue)
    assert (issue.state, near.goals(), len(answers(issue))) == ("closed", GOALS + ADDED, 3)


def test_a_goal_of_that_name_is_not_made_twice(near: Place) -> None:
    issue = near.fills_in(body(), "Move House!")
    assert near.run().code == 0
    assert "“Move house” is in your plan already, as `move-house`" in answers(issue)[0]
    assert (issue.state, near.goals()) == ("open", GOALS)


@pytest.mark.parametrize(
    ("file", "said"),
    [
        (GOALS + "  - titel: x\n", "unknown key `titel`"),
        ("namespace: me/goals\ngoals: [{title: A, deadline: 2027-12-01}]\n", "no goal can be added to this list"),
    ],
)
def test_a_file_that_cannot_be_edited_is_left_as_it_is(near: Place, file: str, said: str) -> None:
    issue = near.fills_in(body())
    near.checkout.push({"goals.yaml": file})
    for _ in range(2):
        near.run()
        (answer,) = answers(issue)
        assert said in answer
    assert (issue.state, near.goals()) == ("open", file)


@pytest.mark.parametrize("role", [pytest.param("READ", marks=pytest.mark.proof), "TRIAGE"])
def test_a_form_of_a_stranger_is_left_alone(near: Place, role: str) -> None:
    stranger = near.github.add_user("eve")
    near.github.repo.roles["eve"] = role
    theirs, mine = near.fills_in(body(), "Theirs", stranger), near.fills_in(body(), "Mine")
    done = near.run(about=mine, sender=stranger)  # such as who put the label there
    assert (
        "::notice title=backplan::The form in issue #1 was left alone: eve may not write to this repository."
        in done.out
    )
    assert (answers(theirs), answers(mine), near.goals()) == ([], [], GOALS)
    near.github.repo.roles["eve"] = "MAINTAIN"
    near.run()
    assert (theirs.state, mine.state) == ("closed", "closed")
    assert [goal.get("id") for goal in yaml.safe_load(near.goals())["goals"]] == [None, "theirs-1", "mine-2"]


def test_a_protected_branch_is_said_and_the_rest_of_the_run_is_done(near: Place) -> None:
    issue, hook = near.fills_in(body()), near.refuses_pushes()
    for _ in range(2):
        done = near.run()
        assert done.code == 0
        assert "::warning title=backplan::The goal of issue #1 could not be pushed" in done.out
        assert "GH006: Protected branch" in done.out
        (answer,) = answers(issue)
        assert "let GitHub Actions push to it" in answer
        tasks = near.person.todo.read_text("utf-8")
        assert "Pack" in tasks
        assert "Take the test" not in tasks
    assert (issue.state, near.goals()) == ("open", GOALS)
    hook.unlink()
    assert near.run().code == 0
    assert (issue.state, near.goals()) == ("closed", GOALS + ADDED)


@pytest.mark.proof
def test_hostile_text_stays_text_in_the_file_the_log_and_the_answer(place: Place) -> None:
    hostile = (
        "::error title=x::a",
        "##[group]b",
        "<script>c</script>",
        "@everyone d",
        "\u202ee: {f: *g}",
        "fixes #1 `h`",
    )
    issue = place.fills_in(body(steps="\n".join(hostile), why="goals: []\n- id: x"), 'namespace: evil # "x"')
    before = yaml.safe_load(GOALS)
    done = place.run()
    assert done.code == 0, done.out
    after = yaml.safe_load(place.goals())
    assert {**after, "goals": after["goals"][:1]} == before
    assert after["goals"][1]["title"] == 'namespace: evil # "x"'
    assert after["goals"][1]["steps"] == list(hostile)
    assert not [line for line in done.out.splitlines() if line.startswith(("::", "##["))]
    (answer,) = answers(issue)
    assert [mark for mark in ("<script>", "@everyone", "\u202e", "fixes #1", "`h`") if mark in answer] == []
    subjects = repository.git(place.remote, "log", "-1", "--format=%B", "main").strip()
    assert subjects == "backplan: add the goal of issue #1"


def test_a_run_that_ended_between_commit_and_sync_is_finished_by_the_next(near: Place) -> None:
    issue = near.fills_in(body())
    near.checkout.push({"goals.yaml": GOALS.replace("goals:", "sync: [todoist]\ngoals:")})
    broken = near.run()  # no token: it stops after the commit
    assert broken.code == 77
    there = GOALS.replace("goals:", "sync: [todoist]\ngoals:") + ADDED
    assert (near.goals(), issue.state, answers(issue)) == (there, "open", [])
    near.checkout.push({"goals.yaml": GOALS + ADDED})
    assert near.run().code == 0
    assert (near.goals(), issue.state, len(answers(issue))) == (GOALS + ADDED, "closed", 1)


@pytest.mark.parametrize(
    "end", [4, *(pytest.param(end, marks=pytest.mark.proof) for end in (0, 1, 2, 3, 5, 6, 7, 8, 9))]
)
def test_wherever_answers_are_lost_the_next_run_goes_on(near: Place, end: int) -> None:
    issue = near.fills_in(body())
    near.server.faults.judge(lambda index, *_: [None, Fault.LOST, Fault.UNAUTHORIZED][(index >= end) + (index > end)])
    near.run()
    near.server.faults.clear()
    assert near.run().code == 0
    assert (near.goals(), issue.state, len(answers(issue))) == (GOALS + ADDED, "closed", 1)


@pytest.mark.proof
def test_a_run_that_is_killed_after_its_push_is_finished_by_the_next(place: Place) -> None:
    issue, number = place.fills_in(body()), place.remote / "number"
    hook = place.remote / "hooks" / "post-receive"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text(f"#!/bin/sh\nkill -9 $(cat '{number}')\nsleep 1\n", "utf-8")
    hook.chmod(0o755)
    env = {**os.environ, **place.checkout.env, "PYTHONPATH": str(ROOT), "BACKPLAN_TODAY": "2027-07-20"}
    command = [sys.executable, "-m", "sync.action.main"]
    with subprocess.Popen(command, cwd=place.person.folder, env=env) as process:
        number.write_text(str(process.pid), "utf-8")
    assert process.returncode == -signal.SIGKILL
    assert (place.goals(), issue.state, place.person.todo.exists()) == (GOALS + ADDED, "open", False)
    hook.unlink()
    place.checkout.git("fetch", "--quiet")
    place.checkout.git("reset", "--quiet", "--hard", "origin/main")  # a new checkout
    place.checkout.env["GITHUB_SHA"] = place.checkout.git("rev-parse", "HEAD").strip()
    assert place.run().code == 0
    assert (place.goals(), issue.state, len(answers(issue))) == (GOALS + ADDED, "closed", 1)
    assert "Take the test" in place.person.todo.read_text("utf-8")


@pytest.mark.parametrize(("name", "value"), [("INPUT_COMMAND", "plan"), ("GITHUB_RUN_ATTEMPT", "2")])
def test_where_nothing_may_be_written_no_form_is_taken_in(near: Place, name: str, value: str) -> None:
    issue = near.fills_in(body())
    newer = GOALS.replace("2027-12-01", "2027-12-02")
    near.checkout.moves_on({"goals.yaml": newer})
    assert near.run(env={name: value}).code == 0
    assert (near.goals(), issue.state, answers(issue)) == (newer, "open", [])


def test_somebody_who_pushes_in_the_meantime_loses_nothing(near: Place) -> None:
    issue = near.fills_in(body())
    near.checkout.moves_on({"README.md": "theirs\n"})
    assert near.run().code == 0
    assert (issue.state, near.goals()) == ("closed", GOALS + ADDED)
    assert repository.git(near.remote, "show", "main:README.md") == "theirs\n"


def test_without_the_permission_forms_wait_and_the_sync_is_done(near: Place) -> None:
    issue = near.fills_in(body())
    token = near.github.workflow_token(near.github.repo, contents="read").text
    near.github.delete_label(goal_form.LABEL)
    done = near.run(env={"WORKFLOW_TOKEN": token})
    assert done.code == 0
    assert "give the job the permissions `contents: write` and `issues: write`" in done.out
    assert near.person.todo.exists()
    assert (issue.state, near.goals()) == ("open", GOALS)


@pytest.mark.proof
@pytest.mark.parametrize("seed", range(6))
def test_whatever_happens_each_form_becomes_one_goal_and_nothing_else_changes(near: Place, seed: int) -> None:
    """Lives of forms, by chance: they are sent and edited, others push, answers are lost, the branch is protected."""
    chance = random.Random(seed)  # noqa: S311  # no secret
    forms: list[Issue] = []
    lines = GOALS.splitlines()
    for number in range(12):
        what = chance.choice(("send", "send", "edit", "push", "lose", "protect", "run"))
        if what == "send":
            forms.append(near.fills_in(body(chance.choice(("2027-09-15", "soon", "2027-01-01"))), f"Goal {number}"))
        elif what == "edit" and (still := [issue for issue in forms if issue.state == "open"]):
            near.github.edit(chance.choice(still).number, body=body(chance.choice(("2027-09-16", "later"))))
        elif what == "push":
            lines.append(f"# pushed {number}")
            near.checkout.moves_on({"goals.yaml": f"{near.goals()}# pushed {number}\n"})
        elif what == "protect":
            hook = near.refuses_pushes()
            near.run()
            hook.unlink()
        elif what == "lose":
            near.server.faults.at(chance.randrange(8), chance.choice((Fault.LOST, Fault.UNAUTHORIZED, Fault.HALF)))
        if what != "push":
            _checks_out_the_tip(near)
            near.run()
    near.server.faults.clear()
    for _ in range(2):
        _checks_out_the_tip(near)
        assert near.run().code == 0
    goals = [goal["id"] for goal in yaml.safe_load(near.goals())["goals"][1:]]
    closed = [issue for issue in forms if issue.state == "closed"]
    assert sorted(goals) == sorted(goal_form.goal_id(issue.title, issue.number) for issue in closed)
    assert not set(lines) - set(near.goals().splitlines())
    for issue in forms:
        said = answers(issue)
        assert all(one != other for one, other in itertools.pairwise(said))
        assert sum("The goal is `" in one for one in said) == (issue.state == "closed")
        assert issue.state == "closed" or said


def _checks_out_the_tip(near: Place) -> None:
    """Let the next run begin with a new checkout of the branch."""
    near.checkout.git("fetch", "--quiet")
    near.checkout.git("reset", "--quiet", "--hard", "origin/main")
    near.checkout.env["GITHUB_SHA"] = near.checkout.git("rev-parse", "HEAD").strip()
