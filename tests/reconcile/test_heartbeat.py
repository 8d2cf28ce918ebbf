"""The heartbeat in Todoist and in a list: it moves once a day, obeys its user, and counts for nothing else."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from config.keys import HEARTBEAT
from sync.run import pipeline
from sync.run.reading import read
from sync.run.workspace import open_workspace
from tests.conftest import FOOD_HANDLER
from tests.servers.github_server import GitHubServer
from tests.servers.todoist import PRO, Todoist
from tests.servers.todoist_server import TodoistServer

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.conftest import Person

FIRST = date(2027, 7, 20)
LIST = f"heartbeat: 3 days\n{FOOD_HANDLER}"
APP = f"namespace: me/goals\nsync: [markdown, todoist]\n{LIST}"
BEATS = "backplan last ran on"


class InTodoist:
    """The heartbeat in somebody's Todoist, and that person's runs."""

    def __init__(self, server: TodoistServer, person: Person) -> None:
        self.server, self.service, self.person = server, server.service, person
        self.written: dict[str, int] = {}

    def sync(self, days: int = 0, *only: str) -> list[str]:
        """Run on a later day; return what was done about the heartbeat."""
        workspace = open_workspace(self.person.goals, FIRST + timedelta(days))
        homes = workspace.homes()
        reading = read(workspace.project, homes, workspace.today)
        plans = pipeline.make_plans(reading, only_goals=frozenset(only))
        done = pipeline.apply(plans, homes, lambda _: None)
        assert not [change for plan in done for change in plan.changes if change.error]
        self.written = {home.connector.name: home.connector.requests.write for home in homes}
        return [change.action.value for plan in done for change in plan.changes if change.key == HEARTBEAT]

    @property
    def tasks(self) -> list[dict[str, Any]]:
        return [task for task in self.service.tasks() if BEATS in task["content"] or HEARTBEAT in task["description"]]

    @property
    def task(self) -> dict[str, Any]:
        (task,) = self.tasks
        return task


@pytest.fixture
def beat(person: Person, monkeypatch: pytest.MonkeyPatch) -> Iterator[InTodoist]:
    with TodoistServer(Todoist(PRO)) as server:
        monkeypatch.setenv("TODOIST_API_URL", server.url)
        monkeypatch.setenv("TODOIST_API_TOKEN", server.service.owner.token)
        person.writes(APP)
        found = InTodoist(server, person)
        found.sync()
        yield found


def test_it_is_due_days_ahead_in_the_app_and_says_what_to_do(beat: InTodoist) -> None:
    assert beat.task["content"] == "backplan last ran on Tue 20 Jul 2027"
    assert beat.task["due"]["date"] == "2027-07-23"
    assert "press Enable workflow" in beat.task["description"]
    assert BEATS not in beat.person.todo.read_text("utf-8")  # a file reminds nobody


def test_it_moves_once_a_day_and_nothing_else_is_written(beat: InTodoist) -> None:
    for days, due in ((1, "2027-07-24"), (2, "2027-07-25"), (30, "2027-08-22")):
        assert beat.sync(days) == ["update"]
        assert beat.task["due"]["date"] == due
        before = beat.service.state()
        sent = beat.server.commands
        assert beat.sync(days) == []
        assert beat.server.commands == sent
        assert beat.service.state() == before


def test_with_nothing_else_to_do_a_beat_is_one_write(beat: InTodoist) -> None:
    beat.sync(1)
    assert beat.sync(2) == ["update"]
    assert beat.written == {"markdown": 0, "todoist": 1}


def test_who_deletes_it_is_rid_of_it_until_the_file_asks_for_another(beat: InTodoist) -> None:
    beat.service.delete(beat.task["id"])
    for days in (0, 1, 5):
        assert set(beat.sync(days)) <= {"keep"}
        assert not beat.tasks
    beat.person.writes(APP.replace("3 days", "1 week"))
    beat.sync(6)
    assert beat.task["due"]["date"] == "2027-08-02"


def test_a_tick_says_seen_and_the_next_run_opens_it_again(beat: InTodoist) -> None:
    beat.service.tick(beat.task["id"])
    assert beat.sync(4) == ["reopen"]
    assert not beat.task["checked"]
    assert beat.task["due"]["date"] == "2027-07-27"
    assert beat.sync(4) == []


def test_another_date_is_put_back_and_a_title_of_ones_own_is_kept_beside(beat: InTodoist) -> None:
    beat.service.set_due(beat.task["id"], date(2027, 12, 24))
    beat.service.set_title(beat.task["id"], "My robot")
    beat.sync(1)
    assert (beat.task["content"], beat.task["due"]["date"]) == ("backplan last ran on Wed 21 Jul 2027", "2027-07-24")
    assert any("My robot" in comment for comment in beat.service.comments(beat.task["id"]))


def test_words_of_ones_own_in_the_notes_stay(beat: InTodoist) -> None:
    beat.service.set_description(beat.task["id"], f"Call Ann first.\n\n{beat.task['description']}")
    beat.sync(1)
    assert beat.task["description"].startswith("Call Ann first.")


def test_without_the_key_it_goes(beat: InTodoist) -> None:
    beat.person.writes(APP.replace("heartbeat: 3 days\n", ""))
    assert beat.sync(1) == ["remove"]
    assert not beat.tasks
    assert beat.sync(2) == []


def test_it_is_not_moved_by_a_run_that_could_not_read_an_app(beat: InTodoist) -> None:
    beat.person.todo.unlink()
    beat.person.todo.mkdir()
    assert beat.sync(1) == []
    assert beat.task["due"]["date"] == "2027-07-23"


def test_a_run_for_one_goal_leaves_it_alone(beat: InTodoist) -> None:
    assert beat.sync(1, "food-handler") == []
    assert beat.task["due"]["date"] == "2027-07-23"


@pytest.mark.proof
def test_among_issues_it_is_one_that_a_day_changes_once(person: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    with GitHubServer() as server:
        repo = server.service.repo
        monkeypatch.setenv("GITHUB_API_URL", server.base)
        monkeypatch.setenv("GITHUB_TOKEN", server.service.token)
        person.writes(APP.replace("[markdown, todoist]", f"[{{github: {{repo: {repo.full_name}}}}}]"))
        for days, writes in ((0, 1), (1, 1), (1, 0)):
            person.today = FIRST + timedelta(days)
            (said,) = person.run("sync", "--json").json["connectors"]
            assert sum(change["key"] == HEARTBEAT for change in said["changes"]) == writes
            assert days == 0 or said["requests"]["write"] == writes
        assert [issue.title for issue in repo.issues.values() if BEATS in issue.title] == [f"{BEATS} Wed 21 Jul 2027"]


# It counts for nothing else


def test_a_list_has_it_where_there_is_no_app(person: Person) -> None:
    person.writes(LIST)
    person.run("sync")
    assert person.todo.read_text("utf-8").count(BEATS) == 1
    person.today = FIRST + timedelta(1)
    assert [change["key"] for change in person.changes("plan")] == [HEARTBEAT]
    assert person.run("plan", "--exit-code").code == 0


def test_it_is_no_goal_and_no_progress(person: Person) -> None:
    person.writes(FOOD_HANDLER)
    shown = [person.run(command, "--json").json for command in ("schedule", "status")]
    person.writes(LIST)
    person.run("sync")
    assert [person.run(command, "--json").json for command in ("schedule", "status")] == shown
    todo = person.todo.read_text("utf-8")
    person.todo.write_text(todo.replace(f"- [ ] {BEATS}", f"- [x] {BEATS}"), "utf-8")
    assert [person.run(command, "--json").json for command in ("schedule", "status")] == shown


@pytest.mark.parametrize(("kept", "refused"), [("goals: []\n", True), (LIST.replace("heartbeat: 3 days\n", ""), False)])
def test_it_weighs_nothing_when_much_is_removed_at_once(person: Person, kept: str, *, refused: bool) -> None:
    """Two tasks beside it, all of them: that is emptying the file. It alone: that is none."""
    person.writes("heartbeat: 3 days\ngoals: [{title: A, deadline: 2027-09-01, steps: [B]}]\n")
    person.run("sync")
    if refused:
        person.writes(f"heartbeat: 3 days\n{kept}")
        assert person.run("sync").code == 3
        person.writes("goals: []\n")
        assert person.run("sync").code == 3
    else:
        person.writes("goals: [{title: A, deadline: 2027-09-01, steps: [B]}]\n")
        assert [(c["action"], c["key"]) for c in person.changes()] == [("remove", HEARTBEAT)]


@pytest.mark.parametrize("said", ["0 days", "5%", "2-3-6 days", "soon"])
def test_its_length_is_at_least_a_day(person: Person, said: str) -> None:
    person.writes(f"heartbeat: {said}\ngoals: []\n")
    done = person.run("check")
    assert done.code == 64
    assert "goals.yaml:1:12: `heartbeat" in done.err
