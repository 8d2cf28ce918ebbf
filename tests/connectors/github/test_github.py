"""What is GitHub's own: requests, limits, rights, what people do in a browser, and every fault at every request."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from itertools import product
from typing import TYPE_CHECKING, Any

import pytest

from config import goal_form
from config.errors import BackplanError, CredentialsError, InputError, RefusedError
from config.settings import Environment
from connectors.base import Action, Write
from connectors.github.body import Body
from connectors.github.connector import GitHubConnector
from connectors.github.date_line import date_line
from connectors.http import Api
from connectors.markdown.connector import MarkdownConnector
from sync.reports import words
from sync.run import executor, pipeline, reading, work
from sync.run.homes import Binding
from sync.schedule.model import State
from tests import tiers
from tests.connectors import todoist_account
from tests.connectors.contract import NAMESPACE, TODAY, World, a_goal, load, run
from tests.connectors.github_account import GitHubAccount, connector, shown
from tests.connectors.scenarios import Killed, scenario_deadline, scenario_done, scenario_first, scenario_removed
from tests.servers.github import ALL, GitHub, Issue
from tests.servers.github_server import GitHubServer
from tests.servers.http import Fault
from tests.servers.todoist import PRO, Todoist
from tests.servers.todoist_server import TodoistServer

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator
    from pathlib import Path

    import requests

    from config.project import Project
    from tests.conftest import Person


@pytest.fixture
def server() -> Iterator[GitHubServer]:
    with GitHubServer() as server:
        yield server


@pytest.fixture
def github(server: GitHubServer) -> GitHub:
    return server.service


@pytest.fixture
def world(server: GitHubServer, tmp_path: Path) -> World:
    """Our four issues, synced."""
    world = World(GitHubAccount(server), tmp_path)
    world.begin()
    return world


def titles(github: GitHub) -> list[str]:
    """Return the titles of the issues that are open or completed, sorted."""
    return sorted(issue.title for issue in shown(github))


def steps(number: int) -> list[dict[str, Any]]:
    return [{"id": f"s{n}", "title": f"Step {n}", "takes": "1 day"} for n in range(number)]


def sent(connector: GitHubConnector) -> tuple[int, int]:
    return connector.requests.read, connector.requests.write


def body(world: World, key: str) -> Body:
    return Body.read(issue(world, key).body)


def issue(world: World, key: str) -> Issue:
    account = world.service
    assert isinstance(account, GitHubAccount)
    return account.github.issue(world.native_id(key))


# What it looks like


def test_a_goal_is_an_issue_with_its_steps_below_in_their_order(world: World) -> None:
    goal = issue(world, "g")
    assert [child.title for child in goal.children] == ["Begin", "Go on", "Finish"]
    assert goal.body.split("\n")[0] == "Due 30 September 2027 (Thursday)"
    assert issue(world, "g/two").body.split("\n")[0] == "Due 28 September 2027 (Tuesday), start 22 September"
    assert {label.name for one in (goal, *goal.children) for label in one.labels} == {"backplan"}


def test_a_new_step_takes_its_place(world: World) -> None:
    first, *others = world.goal["steps"]
    new = [{"id": "a", "title": "Think", "takes": "1 day"}, {"id": "b", "title": "Think again", "takes": "1 day"}]
    world.goal["steps"] = [{"id": "z", "title": "Wake up", "takes": "1 day"}, first, *new, *others]
    world.sync()
    below = [child.title for child in issue(world, "g").children]
    assert below == ["Wake up", "Begin", "Think", "Think again", "Go on", "Finish"]


def test_a_goal_that_is_renamed_keeps_its_issue_and_gets_new_steps(world: World, github: GitHub) -> None:
    goal = issue(world, "g")
    new = {"id": "new", "title": "Think", "takes": "1 day"}
    world.goal = {**world.goal, "id": "h", "was": "g", "steps": [*world.goal["steps"], new]}
    world.sync()
    assert [child.title for child in goal.children] == ["Begin", "Go on", "Finish", "Think"]
    assert issue(world, "h") is goal
    assert len(titles(github)) == 5


def test_more_than_a_hundred_steps_stand_alone(server: GitHubServer, tmp_path: Path) -> None:
    world = World(GitHubAccount(server), tmp_path, a_goal(steps=steps(103), deadline="2028-12-30"))
    world.sync()
    assert len(issue(world, "g").children) == 100
    assert len(titles(server.service)) == 104


def test_who_does_it_is_assigned_and_others_stay(world: World, github: GitHub) -> None:
    for login in ("ben", "cleo"):
        github.repo.roles[login] = "WRITE"
        github.add_user(login)
    world.step("two", who="@Ben")
    world.sync()
    two = issue(world, "g/two")
    assert [user.login for user in two.assignees] == ["ben"]
    two.assignees.append(github.users["cleo"])
    world.step("two", who="ann")
    world.sync()
    assert [user.login for user in two.assignees] == ["ann", "cleo"]
    world.step("two", who="nobody that GitHub knows")
    world.sync()
    assert [user.login for user in two.assignees] == ["cleo"]


def test_a_goal_can_be_a_milestone(server: GitHubServer, tmp_path: Path, github: GitHub) -> None:
    goal = a_goal()

    def sync() -> None:
        assert run(load(tmp_path, goal), [connector(server, milestone=True)], TODAY).errors == []

    sync()
    (milestone,) = github.repo.milestones
    assert (milestone.title, milestone.due_on) == ("Reach it", "2027-09-30T07:00:00Z")
    assert all(issue.milestone is milestone for issue in github.issues())
    goal["deadline"] = "2027-10-07"
    sync()
    assert milestone.due_on == "2027-10-07T07:00:00Z"
    milestone.title = "Renamed by somebody"
    goal["done"] = TODAY
    sync()
    assert (milestone.state, milestone.title) == ("closed", "Renamed by somebody")


def test_a_milestone_that_a_person_deleted_stays_away(server: GitHubServer, tmp_path: Path, github: GitHub) -> None:
    goal = a_goal()
    for deadline in ("2027-09-30", "2027-10-07"):
        goal["deadline"] = deadline
        assert run(load(tmp_path, goal), [connector(server, milestone=True)], TODAY).errors == []
        if not github.repo.milestones[0].deleted:
            github.delete_milestone(1)
    assert [milestone.deleted for milestone in github.repo.milestones] == [True]


# A project, and what blocks what


@pytest.fixture
def dated(server: GitHubServer, tmp_path: Path, github: GitHub) -> World:
    """Our four issues, with their dates in a project, too."""
    github.add_project("ann", 4, "Due", "Status")
    world = World(GitHubAccount(server, project=4), tmp_path)
    world.sync()
    return world


def in_project(world: World, key: str) -> dict[str, str | None]:
    (found,) = issue(world, key).dates.values()
    return found


def test_dates_stand_in_a_project_too(dated: World) -> None:
    assert in_project(dated, "g") == {"Due": "2027-09-30"}
    assert in_project(dated, "g/two") == {"Due": "2027-09-28"}
    dated.goal["deadline"] = "2027-10-07"
    dated.sync()
    assert in_project(dated, "g/two") == {"Due": "2027-10-05"}


def test_a_date_that_a_person_moves_in_the_project_is_a_pin(dated: World) -> None:
    in_project(dated, "g/two")["Due"] = "2027-09-10"
    dated.sync()
    assert dated.tasks()["g/two"].marker.pinned
    assert body(dated, "g/two").dates.due == date(2027, 9, 10)
    assert in_project(dated, "g/one")["Due"] == "2027-09-03"
    in_project(dated, "g/two")["Due"] = None
    dated.sync()
    assert not dated.tasks()["g/two"].marker.pinned
    assert in_project(dated, "g/two")["Due"] == "2027-09-28"


def test_a_date_that_a_person_moves_in_the_issue_reaches_the_project(dated: World) -> None:
    dated.service.set_due(dated.native_id("g/two"), date(2027, 9, 10))
    dated.sync()
    assert in_project(dated, "g/two") == {"Due": "2027-09-10"}


def test_an_issue_that_a_person_took_out_of_the_project_stays_out(dated: World) -> None:
    issue(dated, "g/two").dates.clear()
    assert dated.sync().actions == {}
    dated.step("two", title="Go on and on")
    dated.sync()
    assert issue(dated, "g/two").dates == {}
    dated.goal["deadline"] = "2027-10-07"
    dated.sync()
    assert in_project(dated, "g/two") == {"Due": "2027-10-05"}


def test_a_date_that_a_person_takes_out_of_the_project_is_put_back(dated: World) -> None:
    in_project(dated, "g/two")["Due"] = None
    dated.sync()
    assert in_project(dated, "g/two") == {"Due": "2027-09-28"}


def test_a_token_without_the_project_moves_dates_in_the_issues_alone(
    dated: World, server: GitHubServer, github: GitHub
) -> None:
    """As a workflow's token does; one that sees the project again takes nothing there for a person's move."""
    token = github.add_token(github.owner, projects=False).text
    dated.goal["deadline"] = "2027-10-07"
    done = run(dated.project, [connector(server, token=token, project=4)], TODAY)
    assert done.errors == []
    (notice,) = done.found.views[0].snapshot.notices
    assert "project 4 of ann cannot be reached, so dates are only in the issues" in notice
    assert body(dated, "g/two").dates.due == date(2027, 10, 5)
    assert in_project(dated, "g/two") == {"Due": "2027-09-28"}
    assert dated.sync().actions == {}
    dated.goal["deadline"] = "2027-10-14"
    dated.sync()
    assert in_project(dated, "g/two") == {"Due": "2027-10-12"}
    assert not dated.tasks()["g/two"].marker.pinned


def test_a_project_without_the_date_field_is_told(dated: World, server: GitHubServer) -> None:
    facts = {fact.what: fact for fact in connector(server, project=4, date_field="When").facts()}
    assert not facts["project"].ok
    assert "no date field “When”" in facts["project"].sentence


# The fields that an organization gives its issues


@pytest.fixture
def fielded(server: GitHubServer, tmp_path: Path, github: GitHub) -> World:
    """Our four issues, in a repository of an organization whose issues have date fields."""
    add_fields(github)
    world = World(GitHubAccount(server), tmp_path)
    world.sync()
    return world


def add_fields(github: GitHub) -> None:
    for name, kind in (("Team", "text"), ("Start date", "date"), ("Target date", "date"), ("Review date", "date")):
        github.add_field("ann", name, kind)


def in_fields(world: World, key: str) -> dict[str, str]:
    """Return the values of an issue by the names of their fields."""
    account = world.service
    assert isinstance(account, GitHubAccount)
    return fields_of(account.github, issue(world, key))


def fields_of(github: GitHub, one: Issue) -> dict[str, str]:
    """Return the values of an issue by the names of their fields."""
    return {field.name: one.values[field.id] for field in github.fields if field.id in one.values}


def set_field(world: World, key: str, name: str, value: str | None) -> None:
    """Set a value as a person does it on the site, or (None) clear it."""
    account = world.service
    assert isinstance(account, GitHubAccount)
    field = next(one for one in account.github.fields if one.name == name)
    account.github.set_values(issue(world, key), [(field, value)])


def test_dates_stand_in_the_fields_of_an_organization_too(fielded: World) -> None:
    assert in_fields(fielded, "g") == {"Target date": "2027-09-30"}
    assert in_fields(fielded, "g/two") == {"Start date": "2027-09-22", "Target date": "2027-09-28"}
    set_field(fielded, "g/two", "Team", "Blue")
    set_field(fielded, "g/two", "Review date", "2027-09-01")
    fielded.goal["deadline"] = "2027-10-07"
    fielded.sync()
    ours = {"Start date": "2027-09-29", "Target date": "2027-10-05"}
    assert in_fields(fielded, "g/two") == {**ours, "Team": "Blue", "Review date": "2027-09-01"}


def test_fields_cost_no_request_but_one_where_dates_move(server: GitHubServer, tmp_path: Path, github: GitHub) -> None:
    add_fields(github)
    world = World(GitHubAccount(server), tmp_path)
    first, second, moved = connector(server), connector(server), connector(server)
    assert run(world.project, [first], TODAY).errors == []
    assert run(world.project, [second], TODAY).silent
    world.goal["deadline"] = "2027-10-07"
    run(world.project, [moved], TODAY)
    assert [sent(one) for one in (first, second, moved)] == [(2, 1 + 1 + 1 + 1), (2, 0), (2, 2)]


def test_a_date_that_a_person_moves_in_a_field_is_a_pin(fielded: World) -> None:
    set_field(fielded, "g/two", "Target date", "2027-09-10")
    fielded.sync()
    assert fielded.tasks()["g/two"].marker.pinned
    assert body(fielded, "g/two").dates.due == date(2027, 9, 10)
    assert in_fields(fielded, "g/one")["Target date"] == "2027-09-03"
    fielded.service.set_due(fielded.native_id("g/two"), None)
    fielded.sync()
    assert not fielded.tasks()["g/two"].marker.pinned
    assert in_fields(fielded, "g/two")["Target date"] == "2027-09-28"


def test_a_date_that_a_person_moves_back_is_a_pin(fielded: World) -> None:
    fielded.goal["deadline"] = "2027-10-07"
    fielded.sync()
    set_field(fielded, "g/two", "Target date", "2027-09-28")
    fielded.sync()
    assert fielded.tasks()["g/two"].marker.pinned


def test_a_date_that_a_person_moves_in_the_issue_reaches_the_field(fielded: World) -> None:
    fielded.service.set_due(fielded.native_id("g/two"), date(2027, 9, 10))
    fielded.sync()
    assert in_fields(fielded, "g/two")["Target date"] == "2027-09-10"


def test_a_field_that_a_person_emptied_stays_so_until_its_date_moves(fielded: World) -> None:
    set_field(fielded, "g/two", "Target date", None)
    assert fielded.sync().actions == {}
    fielded.goal["deadline"] = "2027-10-07"
    fielded.sync()
    assert in_fields(fielded, "g/two")["Target date"] == "2027-10-05"


def test_a_start_that_a_person_moves_in_a_field_is_only_shown(fielded: World) -> None:
    set_field(fielded, "g/two", "Start date", "2027-09-10")
    assert fielded.sync().actions == {}
    fielded.goal["deadline"] = "2027-10-07"
    fielded.sync()
    assert in_fields(fielded, "g/two")["Start date"] == "2027-09-29"


def test_a_field_is_cleared_when_its_date_goes(fielded: World, server: GitHubServer) -> None:
    set_field(fielded, "g/two", "Team", "Blue")
    one = connector(server)
    task = next(task for task in one.read().tasks if task.marker.key == "g/two")
    content, fields = replace(task.content, due=None, start=None), frozenset({"due", "start"})
    (answer,) = one.apply([Write(Action.UPDATE, "g/two", task.native_id, content, task.marker, fields)])
    assert answer.error is None
    assert in_fields(fielded, "g/two") == {"Team": "Blue"}


def test_a_field_that_a_person_filled_in_before_follows(world: World, github: GitHub) -> None:
    """Issues from before the organization had fields."""
    add_fields(github)
    set_field(world, "g/two", "Target date", "2027-09-28")
    world.step("two", title="Go on and on")
    world.sync()
    assert in_fields(world, "g/two")["Target date"] == "2027-09-28"
    assert in_fields(world, "g/one") == {}
    world.goal["deadline"] = "2027-10-07"
    world.sync()
    assert in_fields(world, "g/two")["Target date"] == "2027-10-05"
    assert in_fields(world, "g/one") == {"Start date": "2027-09-26", "Target date": "2027-09-28"}


def test_a_field_that_is_deleted_and_made_anew_moves_nothing(fielded: World, github: GitHub) -> None:
    for one in [one for one in github.fields if one.kind == "date"]:
        github.fields.remove(one)
    assert fielded.sync().actions == {}
    github.add_field("ann", "target DATE")
    assert fielded.sync().actions == {}
    fielded.goal["deadline"] = "2027-10-07"
    fielded.sync()
    assert in_fields(fielded, "g/two") == {"target DATE": "2027-10-05"}


@pytest.mark.parametrize("made_first", [False, True])
@pytest.mark.parametrize("app", [False, True])
def test_a_token_that_may_not_set_fields_makes_issues_once_and_says_so(
    server: GitHubServer, tmp_path: Path, github: GitHub, app: bool, made_first: bool
) -> None:
    """Whether GitHub makes an issue before it refuses its fields is not known: it must not matter."""
    add_fields(github)
    github.made_first = made_first
    token = github.workflow_token(github.repo, issues="write") if app else github.add_token(github.owner)
    token.fields = "read"
    project = load(tmp_path, a_goal())
    done = run(project, [connector(server, token=token.text)], TODAY)
    assert done.errors == []
    (notice,) = done.plans[0].notices
    assert "the token cannot set “Target date” and “Start date”, so dates are only in the issues" in notice
    assert "Resource not accessible by" in notice
    assert titles(github) == ["Begin", "Finish", "Go on", "Reach it"]
    again = connector(server, token=token.text)
    assert run(project, [again], TODAY).silent
    assert sent(again) == (2, 0)


@pytest.mark.parametrize("rights", ["read", "none"])
def test_a_token_without_the_fields_moves_dates_in_the_issues_alone(
    fielded: World, server: GitHubServer, github: GitHub, rights: str
) -> None:
    """One that may set them again takes nothing there for a person's move."""
    token = github.add_token(github.owner, fields=rights).text
    fielded.goal["deadline"] = "2027-10-07"
    done = run(fielded.project, [connector(server, token=token)], TODAY)
    assert done.errors == []
    assert len(done.plans[0].notices) == (rights == "read")
    assert body(fielded, "g/two").dates == (date(2027, 10, 5), date(2027, 9, 29))
    assert in_fields(fielded, "g/two")["Target date"] == "2027-09-28"
    assert run(fielded.project, [connector(server, token=token)], TODAY).silent
    assert fielded.sync().actions == {}
    fielded.goal["deadline"] = "2027-10-14"
    fielded.sync()
    assert in_fields(fielded, "g/two")["Target date"] == "2027-10-12"
    assert not any(task.marker.pinned for task in fielded.tasks().values())


def test_fields_may_have_other_names(server: GitHubServer, tmp_path: Path, github: GitHub) -> None:
    add_fields(github)
    names: dict[str, Any] = {"target_date_field": "review date", "start_date_field": "Begin"}
    world = World(GitHubAccount(server, **names), tmp_path)
    (notice,) = world.sync().found.views[0].snapshot.notices
    assert "no date field “Begin” that the token can see" in notice
    assert in_fields(world, "g/two") == {"Review date": "2027-09-28"}
    facts = {fact.what: fact for fact in connector(server, **names).facts()}
    assert not facts["fields"].ok
    assert facts["fields"].sentence.startswith("dates go to “Review date” of the issues, too")


@pytest.mark.parametrize("why", ["a user's", "an older server", "not to be seen"])
def test_where_there_are_no_fields_dates_stand_in_the_issues(tmp_path: Path, why: str) -> None:
    older = ["issueFields"] if why == "an older server" else []
    with GitHubServer(enterprise=bool(older), without=older) as server:
        if why == "not to be seen":
            add_fields(server.service)
            server.service.hidden = {"issueFields"}
        world = World(GitHubAccount(server), tmp_path)
        done = world.sync()
        assert done.found.views[0].snapshot.notices == done.plans[0].notices == ()
        assert body(world, "g/two").dates.due == date(2027, 9, 28)
        assert in_fields(world, "g/two") == {}
        facts = {fact.what: fact for fact in connector(server).facts()}
        assert "no date fields to set" in facts["fields"].sentence


def test_steps_are_blocked_by_what_comes_before_them(server: GitHubServer, tmp_path: Path, github: GitHub) -> None:
    world = World(GitHubAccount(server, dependencies=True), tmp_path)
    world.sync()
    one, two, three = (issue(world, f"g/{name}") for name in ("one", "two", "three"))
    assert (two.blocked_by, three.blocked_by) == ([one], [two])
    again = world.service.connector()
    assert run(world.project, [again], TODAY).silent
    assert (again.requests.read, again.requests.write) == (2, 0)
    own = [github.add_issue("My own"), github.add_issue("My other")]
    two.blocked_by = [*own]
    world.sync()
    assert two.blocked_by == [*own, one]


# Text


def test_nothing_in_the_goals_file_pings_or_links_anybody(world: World) -> None:
    world.step(
        "two",
        title="Ask @ben about #12",
        notes="@ben, see #12, GH-3, ann/goals#4, a1b2c3d and https://github.com/ann/goals/issues/12\n"
        "https://example.org/@ben?a=1&b=2 is fine, <b>this</b> is *text* <!-- bp1 x --> and so is\n# this",
    )
    world.sync()
    two = issue(world, "g/two")
    assert two.title == "Ask @\u2060ben about #\u206012"
    assert body(world, "g/two").notes == (
        "@\u2060ben, see #\u206012, GH-\u20603, ann/goals#\u20604, a1b2c3\u2060d and "
        "`https://github.com/ann/goals/issues/12`\n"
        "https://example.org/@ben?a=1&amp;b=2 is fine, &lt;b&gt;this&lt;/b&gt; is \\*text\\* "
        "&lt;!-- bp1 x --&gt; and so is\n\\# this"
    )


def test_mentions_are_meant_where_the_file_says_so(server: GitHubServer, tmp_path: Path, github: GitHub) -> None:
    first, *others = a_goal()["steps"]
    goal = a_goal(steps=[{**first, "title": "Ask @ben", "notes": "See **#12** <!-- bp1 x -->"}, *others])
    for _ in range(2):
        one = connector(server, mentions=True)
        run(load(tmp_path, goal), [one], TODAY)
    assert one.requests.write == 0
    made = next(issue for issue in github.issues() if issue.title == "Ask @ben")
    assert "See **#12** <\u2060!-- bp1 x --\u2060>" in made.body
    one = connector(server)  # and what was meant stays as it is when the file does not say so any more
    run(load(tmp_path, goal), [one], TODAY)
    assert "See **#12**" in made.body


def test_what_people_write_around_ours_stays(world: World, github: GitHub) -> None:
    one = issue(world, "g/one")
    github.edit(one.number, body=f"Above\n\n{one.body}\n\nBelow\n- [ ] my own")
    world.sync()
    world.goal["deadline"] = "2027-10-07"
    world.step("one", notes="New words")
    world.sync()
    assert one.body.startswith("Above\n\nDue ")
    assert "\n\nNew words\n\n<!-- bp1 " in one.body
    assert one.body.endswith("\n\nBelow\n- [ ] my own")


def test_a_tick_in_a_checklist_stays(world: World, github: GitHub) -> None:
    world.step("two", checklist=["Bring the form", "Bring a pen"])
    world.sync()
    two = issue(world, "g/two")
    github.edit(two.number, body=two.body.replace("- [ ] Bring a pen", "- [x] Bring a pen\n- [ ] Bring @ben"))
    assert world.sync().actions == {}
    world.step("two", checklist=["Bring the form", "Bring a pen", "Bring *it*"])
    world.sync()
    assert body(world, "g/two").items == (
        "- [ ] Bring the form",
        "- [x] Bring a pen",
        "- [ ] Bring @ben",
        "- [ ] Bring \\*it\\*",
    )


def test_a_date_may_be_written_in_several_ways(world: World, github: GitHub) -> None:
    two = issue(world, "g/two")
    lines = (
        "Due 10 September 2027 (Monday)",
        "due: 2027-9-10, start 2027-9-2",
        "**Due** 10th Sept. 2027",
        "DUE SEP 10 2027",
    )
    for line in lines:
        github.edit(two.number, body=f"{line}\n" + two.body.replace("\r\n", "\n").partition("\n")[2])
        world.sync()
        assert world.tasks()["g/two"].content.due == date(2027, 9, 10)
        assert world.tasks()["g/two"].marker.pinned


@pytest.mark.parametrize("typed", ["next friday", "5/9/2027"])
def test_a_date_that_cannot_be_read_stays_until_it_can(world: World, github: GitHub, typed: str) -> None:
    """Also a pin stays, and whatever changes in the file."""
    world.service.set_due(world.native_id("g/two"), date(2027, 9, 10))
    world.sync()
    two = issue(world, "g/two")
    github.edit(two.number, body=two.body.replace("Due 10 September 2027 (Friday)", f"Due {typed}"))
    text = two.body
    world.step("two", title="Go on and on")
    done = world.sync()
    assert "g/two" not in done.actions
    (kept,) = [change for change in done.plans[0].changes if change.key == "g/two"]
    assert kept.action is Action.KEEP
    assert kept.reason.startswith(
        f"#{two.number}: cannot read the date `{typed}`; the date stays 10 September 2027 until"
    )
    assert (two.body, two.title) == (text, "Go on")
    github.edit(two.number, body=text.replace(typed, "Sep 14, 2027"))
    world.sync()
    assert (two.title, world.tasks()["g/two"].content.due) == ("Go on and on", date(2027, 9, 14))
    assert world.tasks()["g/two"].marker.pinned


def test_a_date_line_that_is_deleted_clears_the_date(world: World) -> None:
    world.service.set_due(world.native_id("g/two"), date(2027, 9, 10))
    world.sync()
    world.service.set_due(world.native_id("g/two"), None)
    world.sync()
    assert not world.tasks()["g/two"].marker.pinned
    assert body(world, "g/two").dates.due == date(2027, 9, 28)


def test_a_step_that_is_closed_is_done_whatever_its_date_line_says(world: World, github: GitHub) -> None:
    two = issue(world, "g/two")
    github.edit(two.number, body=two.body.replace("Due 28 September 2027", "Due whenever it is"))
    github.close(two.number)
    world.sync()
    assert world.states()["g/two"] == "done"


def test_what_the_file_overrules_is_kept_below(world: World, github: GitHub) -> None:
    two = issue(world, "g/two")
    github.edit(two.number, title="Ask @ben instead")
    world.sync()
    world.step("two", title="The file's words")
    world.sync()
    assert two.title == "The file's words"
    assert two.body.endswith("> Before the goals file changed it:\n> title was: Ask @\u2060ben instead")


def test_a_title_that_is_too_long_is_cut(world: World) -> None:
    world.step("two", title="@a " * 100)
    world.sync()
    assert len(issue(world, "g/two").title) <= 256


def test_notes_that_are_too_long_fail_alone(world: World) -> None:
    world.step("two", notes="x" * 66_000)
    world.step("one", title="Begin at last")
    done = run(world.project, [world.service.connector()], TODAY)
    assert done.errors == [error for error in done.errors if "characters too long for GitHub" in error] != []
    assert world.tasks()["g/one"].content.title == "Begin at last"


# Who may write what


def test_a_stranger_cannot_forge_an_issue_of_ours(server: GitHubServer, tmp_path: Path, github: GitHub) -> None:
    github.repo.private = False
    world = World(GitHubAccount(server), tmp_path)
    world.sync()
    stranger = github.add_user("mallory")
    stolen = issue(world, "g").body.replace('"one":"l', '"one":"d')
    github.repo.labels = [label for label in github.repo.labels if label.name != "backplan"]  # all are looked through
    github.add_issue("Reach it", stolen, stranger)
    github.add_issue("Go on", issue(world, "g/two").body.replace("<!-- bp1 ", "<!-- bp1 x"), stranger)
    before = [github.state(number) for number in (5, 6)]
    assert world.sync().actions == {}
    assert [github.state(number) for number in (5, 6)] == before
    assert world.states()["g/one"] == "live"


def test_a_form_is_never_an_issue_of_ours_whoever_sent_it(world: World, github: GitHub) -> None:
    github.label(github.repo, goal_form.LABEL)
    ours = issue(world, "g/two")
    forged = [
        github.fill_in("Reach it", issue(world, "g").body.replace('"one":"l', '"one":"d'), goal_form.LABEL),
        github.fill_in("Go on", ours.body, goal_form.LABEL),
    ]
    for form in forged:  # somebody may give it our label, too
        form.labels.append(github.label(github.repo, "backplan"))
    before = [github.state(form.number) for form in forged]
    assert world.sync().actions == {}
    github.delete_label("backplan")  # all issues are looked through
    world.sync()
    assert [{**github.state(form.number), "labels": []} for form in forged] == [{**old, "labels": []} for old in before]
    assert world.states() == {"g": "live", "g/one": "live", "g/two": "live", "g/three": "live"}


def test_the_label_of_forms_is_not_taken_for_tasks(tmp_path: Path) -> None:
    options = {"repo": "me/goals", "label": "Backplan-Goal"}
    with pytest.raises(InputError, match="other than backplan-goal"):
        GitHubConnector.configure(options, NAMESPACE, Environment.of_process(tmp_path))


def test_a_workflows_own_token_is_enough(server: GitHubServer, tmp_path: Path, github: GitHub) -> None:
    token = github.workflow_token(github.repo, issues="write", contents="read").text
    for _ in range(2):
        one = connector(server, token=token)
        assert run(load(tmp_path, a_goal()), [one], TODAY).errors == []
    assert one.requests.write == 0
    assert {issue.user.login for issue in github.issues()} == {"github-actions[bot]"}


@pytest.mark.parametrize("hidden", [{"viewer"}, {"assignableUsers"}, {"viewer", "assignableUsers"}])
def test_a_token_may_be_nobodys_and_not_see_who_there_is(
    server: GitHubServer, tmp_path: Path, github: GitHub, hidden: set[str]
) -> None:
    github.hidden = hidden
    token = github.workflow_token(github.repo, issues="write").text
    for _ in range(2):
        one = connector(server, token=token)
        assert run(load(tmp_path, a_goal(who="ann")), [one], TODAY).errors == []
    assert one.requests.write == 0
    assert len(titles(github)) == 4


def test_a_right_that_is_missing_is_named(server: GitHubServer, tmp_path: Path, github: GitHub) -> None:
    token = github.add_token(github.owner, permissions={**ALL, "issues": "read"}).text
    done = run(load(tmp_path, a_goal()), [connector(server, token=token)], TODAY)
    assert all("lacks Issues: write on ann/goals" in error for error in done.errors)
    assert len(done.errors) == 4
    assert github.issues() == []


def test_who_may_not_push_gets_issues_without_labels_and_no_second_ones(
    server: GitHubServer, tmp_path: Path, github: GitHub
) -> None:
    github.repo.private = False
    github.label(github.repo, "backplan")
    token = github.add_token(github.add_user("ben")).text
    for _ in range(2):
        one = connector(server, token=token)
        assert run(load(tmp_path, a_goal(steps=[])), [one], TODAY).errors == []
    assert one.requests.write == 0
    assert titles(github) == ["Reach it"]


def test_a_wrong_token_fails_at_once(world: World, server: GitHubServer) -> None:
    one = connector(server, token="unknown")  # noqa: S106  # no password
    with pytest.raises(CredentialsError, match="GITHUB_TOKEN"):
        one.read()
    assert sent(one) == (1, 0)


def test_a_repository_out_of_reach_is_named(server: GitHubServer, github: GitHub) -> None:
    with pytest.raises(CredentialsError, match="no repository ann/none"):
        connector(server, repo="ann/none").read()


def test_an_archived_repository_and_one_without_issues_are_refused(world: World, github: GitHub) -> None:
    github.repo.archived = True
    with pytest.raises(RefusedError, match="was archived"):
        world.sync()
    github.repo.archived, github.repo.has_issues = False, False
    with pytest.raises(RefusedError, match="issues are switched off"):
        world.sync()
    github.repo.has_issues = True
    assert world.sync().actions == {}


def test_another_account_is_refused(world: World) -> None:
    world.settings["account"] = "ben"
    with pytest.raises(RefusedError, match="belongs to ann"):
        world.sync()
    world.settings["account"] = "ann"
    assert world.sync().actions == {}


# What people do in the browser


@pytest.mark.parametrize("reason", ["not_planned", "duplicate"])
def test_one_that_a_person_closed_as_not_planned_is_dropped(world: World, github: GitHub, reason: str) -> None:
    github.close(world.native_id("g/two"), reason)
    assert "g/two" not in world.sync().actions
    assert world.states()["g/two"] == "dropped"
    assert world.sync().actions == {}
    world.step("two", title="Go on after all")
    assert world.sync().actions["g/two"] is Action.REOPEN
    assert (issue(world, "g/two").state, issue(world, "g/two").title) == ("open", "Go on after all")


def test_a_goal_that_a_person_closed_as_not_planned_is_given_up_until_it_is_reopened(
    world: World, github: GitHub
) -> None:
    goal = world.native_id("g")
    github.close(goal, "not_planned")
    world.goal["deadline"] = "2027-10-30"
    before = world.states()
    done = world.sync()
    assert (done.actions, world.states()) == ({}, before)
    assert done.found.schedule.goals[0].state is State.GIVEN_UP
    github.reopen(goal)
    done = world.sync()
    assert done.found.schedule.goals[0].state is State.ON_TRACK
    assert set(done.actions.values()) == {Action.UPDATE}


@pytest.mark.parametrize("login", ["stale[bot]", "github-actions[bot]"])
@pytest.mark.parametrize("reason", ["not_planned", "duplicate"])
def test_what_a_robot_closes_as_not_planned_is_open_and_is_said(
    world: World, github: GitHub, reason: str, login: str
) -> None:
    """Each run says it, and dates go on; a person who closes it after that drops it."""
    robot = github.add_user(login, "Bot")
    github.close(world.native_id("g/two"), reason, robot)
    two = issue(world, "g/two")
    said = f"#{two.number}: closed as {reason.replace('_', ' ')} by `{login}`, a robot: it counts as open"
    for deadline, due in (("2027-09-30", date(2027, 9, 28)), ("2027-10-07", date(2027, 10, 5))):
        world.goal["deadline"] = deadline
        done = world.sync()
        assert [change.reason for change in done.plans[0].changes if change.action is Action.KEEP] == [said]
        assert (world.states()["g/two"], body(world, "g/two").dates.due, two.state) == ("live", due, "closed")
    github.reopen(two.number)
    github.close(two.number, reason)
    world.sync()
    assert world.states()["g/two"] == "dropped"


def test_what_a_robot_closes_as_completed_is_done(world: World, github: GitHub) -> None:
    github.close(world.native_id("g/two"), "completed", github.add_user("merge[bot]", "Bot"))
    world.sync()
    assert world.states()["g/two"] == "done"


def test_a_step_that_a_robot_closed_goes_like_any_other(world: World, github: GitHub) -> None:
    two = issue(world, "g/two")
    github.close(two.number, "not_planned", github.add_user("stale[bot]", "Bot"))
    world.remove_step("two")
    world.sync()
    assert "bp1" not in two.body


def test_who_closed_an_issue_is_asked_for_until_it_is_known_as_dropped(world: World, server: GitHubServer) -> None:
    for key in ("g/one", "g/two"):
        server.service.close(world.native_id(key), "not_planned")
    first, second = connector(server), connector(server)
    run(world.project, [first], TODAY)
    run(world.project, [second], TODAY)
    assert [one.requests.read for one in (first, second)] == [3, 2]


@pytest.mark.parametrize("timezone", ["America/New_York", None])
def test_a_step_that_is_closed_in_the_evening_is_done_on_that_day(
    world: World, github: GitHub, timezone: str | None
) -> None:
    """GitHub tells a moment of tomorrow in UTC: the goals file's time zone decides, and no day is later than today."""
    world.settings |= {"timezone": timezone} if timezone else {}
    world.sync()
    world.today = date(2027, 9, 30)  # the deadline
    github.advance(datetime(2027, 10, 1, 1, 30, tzinfo=UTC) - github.now)
    for key in ("g/one", "g/two", "g/three"):
        github.close(world.native_id(key))
    done = world.sync()
    assert set(done.found.schedule.done().values()) == {date(2027, 9, 30)}
    assert {entry.done_on for entry in world.read().memory["g"].keys.values()} == {date(2027, 9, 30)}
    assert [words.health(goal) for goal in done.found.schedule.goals] == ["done on Thu 30 Sep 2027"]


def test_a_morning_far_ahead_of_utc_is_that_day(world: World, github: GitHub) -> None:
    world.settings["timezone"] = "Pacific/Auckland"
    world.sync()
    world.today = date(2027, 8, 11)
    github.advance(datetime(2027, 8, 10, 19, 30, tzinfo=UTC) - github.now)
    github.close(world.native_id("g/one"))
    assert world.sync().found.schedule.done()["g/one"] == date(2027, 8, 11)


def test_what_leaves_the_file_is_closed_as_not_planned_and_comes_back_as_another(world: World, github: GitHub) -> None:
    two = issue(world, "g/two")
    step = world.goal["steps"][1]
    world.remove_step("two")
    world.sync()
    assert (two.state, two.state_reason, two.parent) == ("closed", "not_planned", None)
    assert "bp1" not in two.body
    world.goal["steps"].insert(1, step)
    world.sync()
    assert issue(world, "g/two").number != two.number
    assert two.state == "closed"
    assert [child.title for child in issue(world, "g").children] == ["Begin", "Go on", "Finish"]


def test_a_goal_that_left_the_file_goes_with_its_steps(server: GitHubServer, tmp_path: Path, github: GitHub) -> None:
    goals = a_goal(), a_goal(id="h", title="Stay")
    assert run(load(tmp_path, *goals), [connector(server)], TODAY).errors == []
    assert run(load(tmp_path, goals[1]), [connector(server)], TODAY, allow=True).errors == []
    assert titles(github) == sorted(["Stay", "Begin", "Go on", "Finish"])
    again = connector(server)
    assert run(load(tmp_path, goals[1]), [again], TODAY).silent
    assert run(load(tmp_path, *goals), [connector(server)], TODAY).errors == []
    assert len(titles(github)) == 8


def test_labels_that_people_add_or_rename_stay(world: World, github: GitHub) -> None:
    github.label(github.repo, "Work")
    world.step("two", labels=["work"])
    world.sync()
    two = issue(world, "g/two")
    two.labels.append(github.label(github.repo, "waiting"))
    world.step("two", labels=["work", "home"])
    world.sync()
    assert sorted(label.name for label in two.labels) == ["Work", "backplan", "home", "waiting"]
    github.rename_label("waiting", "later")
    assert world.sync().actions == {}


@pytest.mark.parametrize("how", ["renamed", "deleted", "taken off one", "taken off the goal"])
def test_without_our_label_everything_is_found_again(world: World, github: GitHub, how: str) -> None:
    if how == "renamed":
        github.rename_label("backplan", "plan")
    elif how == "deleted":
        github.delete_label("backplan")
    else:
        issue(world, "g" if how == "taken off the goal" else "g/two").labels.clear()
    assert world.sync().actions == {}
    world.goal["deadline"] = "2027-10-07"
    world.sync()
    assert titles(github) == ["Begin", "Finish", "Go on", "Reach it"]


def test_a_goal_without_any_label_among_others_is_not_made_twice(
    server: GitHubServer, tmp_path: Path, github: GitHub
) -> None:
    goals = [a_goal(id=name, title=name.upper(), steps=[]) for name in ("a", "b")]
    project = load(tmp_path, *goals)
    run(project, [connector(server)], TODAY)
    next(issue for issue in github.issues() if issue.title == "B").labels.clear()
    done = run(project, [connector(server)], TODAY)
    assert ["run again" in error for error in done.errors] == [True]
    again = connector(server)
    assert run(project, [again], TODAY).silent
    assert titles(github) == ["A", "B"]


def test_a_transferred_issue_is_followed(world: World, github: GitHub) -> None:
    number = world.native_id("g/two")
    there = github.transfer(number, github.add_repo("ann", "elsewhere"))
    assert world.sync().actions == {}
    world.step("two", title="Go on there")
    world.sync()
    assert there.title == "Go on there"
    github.set_state(there, "closed", "completed")
    world.sync()
    assert world.states()["g/two"] == "done"


def test_one_that_was_transferred_out_of_reach_is_dropped(world: World, github: GitHub) -> None:
    github.transfer(world.native_id("g/two"), github.add_repo("ben", "private"))
    world.sync()
    assert world.states()["g/two"] == "dropped"


@pytest.mark.parametrize("how", ["deleted", "out of reach"])
def test_many_issues_that_are_gone_at_once_are_not_believed_to_be_deleted(
    server: GitHubServer, tmp_path: Path, github: GitHub, how: str
) -> None:
    project = load(tmp_path, a_goal(steps=steps(9)))
    assert run(project, [connector(server)], TODAY).errors == []
    private = github.add_repo("ben", "private")
    going = [one.number for one in github.issues() if one.title in {"Step 1", "Step 2", "Step 3", "Step 4"}]
    for number in going[:3]:
        github.delete(number) if how == "deleted" else github.transfer(number, private)
    assert run(project, [connector(server)], TODAY, write=False).found.unread == {}
    github.delete(going[3]) if how == "deleted" else github.transfer(going[3], private)
    done = run(project, [connector(server)], TODAY)
    assert done.silent
    (why,) = done.found.unread.values()
    assert "of 4 of the 10 tasks that should be there, it says that there are none. Rights may have been" in why
    done = run(project, [connector(server)], TODAY, allow=True)
    entries = connector(server).read().memory["g"].keys
    assert (done.errors, sum(entry.state == "dropped" for entry in entries.values())) == ([], 4)
    assert run(project, [connector(server)], TODAY).silent


@pytest.mark.parametrize("status", [404, 410])
def test_issues_that_answer_that_they_are_not_there_are_an_error(
    world: World, server: GitHubServer, status: int
) -> None:
    """The list of them: the repository answers, and its issues do not."""
    server.bend = lambda request, answer: (
        replace(answer, status=status, body=b'{"message": "Not Found"}') if request.path.endswith("/issues") else answer
    )
    done = run(world.project, [connector(server)], TODAY)
    assert done.silent
    assert "Not Found" in "".join(done.found.unread.values())


def test_a_renamed_repository_is_followed(world: World, github: GitHub) -> None:
    github.rename_repo("plans")
    world.goal["deadline"] = "2027-10-07"
    world.sync()
    assert len(titles(github)) == 4


def test_a_locked_issue_is_written_all_the_same(world: World, github: GitHub) -> None:
    two = issue(world, "g/two")
    two.locked = True
    world.step("two", title="Go on")
    world.goal["deadline"] = "2027-10-07"
    world.sync()
    assert two.body.startswith(date_line(date(2027, 10, 5), date(2027, 9, 29)))


def test_pull_requests_are_none_of_ours(world: World, github: GitHub) -> None:
    copied = github.add_issue("A pull request", issue(world, "g/two").body, pull_request=True)
    copied.labels = [*issue(world, "g/two").labels]
    before = github.state(copied.number)
    world.goal["deadline"] = "2027-10-07"
    world.sync()
    assert github.state(copied.number) == before


def test_a_sub_issue_of_a_persons_own_keeps_the_goal(world: World, github: GitHub) -> None:
    github.add_child(issue(world, "g/one"), github.add_issue("My own"))
    world.remove_step("one")
    assert world.sync().actions["g/one"] is Action.DETACH
    assert "Begin" in titles(github)


def test_a_newer_marker_of_ours_stops_and_a_strangers_does_not(world: World, github: GitHub) -> None:
    labels = [*issue(world, "g").labels]
    github.add_issue("Not ours", "<!-- bp2 aaaaaaaaaa you/plans g/one anything -->", labels=labels)
    assert world.sync().actions == {}
    newer = github.add_issue("Ours", f"<!-- bp2 aaaaaaaaaa {NAMESPACE} g/one anything -->", labels=labels)
    with pytest.raises(RefusedError, match="newer version"):
        world.sync()
    github.delete(newer.number)


def test_a_memory_that_was_damaged_is_made_anew_only_on_demand(world: World, server: GitHubServer) -> None:
    goal = issue(world, "g")
    goal.body = goal.body.replace('"since":"2027', '"since":"oops')
    with pytest.raises(RefusedError, match=r"issue #1: .*--rebuild"):
        world.sync()
    homes = (Binding(connector(server), frozenset({"g"})),)
    found = reading.read(world.project, homes, TODAY, rebuild=True)
    pipeline.apply(pipeline.make_plans(found), homes, lambda _: None)
    assert world.sync().actions == {}
    assert len(titles(server.service)) == 4


OTHER_DATES = [
    "Deadline 12 May 2027", "**Deadline:** next Friday", "12 May 2027", "2027-05-12", "- by 2027-05-12", "On 12.5.",
    "Due 12 May 2027\n\nDue 13 May 2027", "Due 12 May 2207", "(Due 12 May 2027)", "- Due next Friday",
]  # fmt: skip


@pytest.mark.parametrize(("said", "pinned"), [*product(OTHER_DATES, [False]), *product(OTHER_DATES[:2], [True])])
def test_a_date_in_other_words_is_not_cleared(world: World, said: str, pinned: bool) -> None:
    if pinned:
        world.service.set_due(world.native_id("g/two"), date(2027, 9, 24))
        world.sync()
    before = body(world, "g/two")
    issue(world, "g/two").body = replace(before, line=said).text
    done = world.sync()
    assert done.actions == {}
    (told,) = (change.reason for plan in done.plans for change in plan.changes if change.key == "g/two")
    assert "#3: cannot read the date `" in told
    assert "Write it as in `Due 9 May 2027`" in told
    assert world.sync().actions == {}
    issue(world, "g/two").body = before.text
    assert world.sync().actions == {}


@pytest.mark.parametrize("said", ["- Due 24 September 2027", "> **Due:** 2027-09-24", "## Due Sep 24, 2027"])
def test_a_date_line_in_a_list_or_a_heading_is_one(world: World, said: str) -> None:
    issue(world, "g/two").body = replace(body(world, "g/two"), line=said).text
    world.sync()
    assert (body(world, "g/two").dates.due, world.sync().actions) == (date(2027, 9, 24), {})


def test_a_date_in_the_notes_of_the_goals_file_is_none_of_the_step(world: World) -> None:
    world.step("two", notes="12 May 2027\n- Due 13 May 2027\nDue 14 May 2027")
    world.sync()
    assert world.sync().actions == {}
    issue(world, "g/two").body = replace(body(world, "g/two"), line="").text
    assert world.sync().actions["g/two"] is Action.UPDATE
    assert world.sync().actions == {}


def _rebuilt(world: World, server: GitHubServer) -> None:
    """Sync with `--rebuild`, and see that the next run has nothing to do and each issue is there once."""
    homes = (Binding(connector(server), frozenset({"g"})),)
    found = reading.read(world.project, homes, TODAY, rebuild=True)
    pipeline.apply(pipeline.make_plans(found), homes, lambda _: None)
    assert world.sync().actions == {}
    assert len(titles(server.service)) == 4


@pytest.mark.parametrize("text", ["Words of my own", ""])
def test_a_goal_whose_text_was_replaced_is_not_made_again(world: World, server: GitHubServer, text: str) -> None:
    two = world.native_id("g/two")
    world.service.tick(two)
    world.sync()
    issue(world, "g").body = text
    with pytest.raises(RefusedError, match=r"memory of `g` in the text of issue #1 is gone.*“edited”.*--rebuild"):
        world.sync()
    _rebuilt(world, server)
    assert issue(world, "g/two").state == "closed"
    assert text in server.service.issue(1).body


def test_a_step_that_is_done_is_not_made_again_without_its_comment_and_its_goals(
    world: World, server: GitHubServer
) -> None:
    two = world.native_id("g/two")
    world.service.tick(two)
    world.sync()
    before = {number: server.service.issue(number).body for number in (1, int(two))}
    for number in before:
        server.service.issue(number).body = ""
    with pytest.raises(RefusedError, match="--rebuild"):
        world.sync()
    with pytest.raises(RefusedError, match=f"have no task.*#{two} `Go on`.*“edited”.*label off"):
        _rebuilt(world, server)
    server.service.issue(int(two)).body = before[int(two)]
    _rebuilt(world, server)
    assert server.service.issue(int(two)).state == "closed"


def test_issues_whose_texts_are_all_gone_are_not_made_again(world: World, server: GitHubServer) -> None:
    before = {number: server.service.issue(number).body for number in range(1, 5)}
    for number in before:
        server.service.issue(number).body = ""
    with pytest.raises(RefusedError, match=r"have no task.*#1 `Reach it`, #2 `Begin`.*“edited”.*label off"):
        world.sync()
    for number, text in before.items():
        server.service.issue(number).body = text
    assert world.sync().actions == {}


# How many requests


def test_nothing_changed_costs_two_reads(world: World, server: GitHubServer) -> None:
    again = connector(server)
    assert run(world.project, [again], TODAY).silent
    assert sent(again) == (2, 0)


def test_changes_travel_twenty_at_a_time(server: GitHubServer, tmp_path: Path) -> None:
    goal = a_goal(steps=steps(50), deadline="2028-12-30")
    first = connector(server)
    assert run(load(tmp_path, goal), [first], TODAY).errors == []
    assert sent(first) == (2, 1 + 1 + 3 + 1)  # the label, the goal, fifty steps, what became of them
    server.service.advance(timedelta(hours=1))
    later = connector(server)
    run(load(tmp_path, {**goal, "deadline": "2029-01-06"}), [later], TODAY)
    assert sent(later) == (2, 3)
    again = connector(server)
    assert run(load(tmp_path, {**goal, "deadline": "2029-01-06"}), [again], TODAY).silent


def test_writing_stays_within_the_limits(server: GitHubServer, tmp_path: Path, github: GitHub) -> None:
    started = github.now
    run(load(tmp_path, a_goal(steps=steps(99), deadline="2028-12-30")), [connector(server)], TODAY)
    assert [entry.status for entry in server.log if entry.status != 200] == [201]  # nothing was refused
    assert timedelta(seconds=60) < github.now - started < timedelta(seconds=100)


def test_a_first_sync_that_is_too_large_is_spread_nearest_dates_first(
    server: GitHubServer, tmp_path: Path, github: GitHub
) -> None:
    goals = [a_goal(id=f"g{n}", title=f"Goal {n}", steps=steps(99), deadline=f"20{32 - n}-12-30") for n in range(5)]
    project = load(tmp_path, *goals)
    first = run(project, [connector(server)], TODAY)
    assert first.errors == []
    (plan,) = first.plans
    assert plan.budget is not None
    assert (plan.budget.minutes, plan.budget.waiting) == (4, 500 - len(github.issues()))
    dues: dict[str, list[date]] = {"applied": [], "skipped": []}
    for change in plan.writes:
        if "/" in change.key and change.write and change.write.content and change.write.content.due:
            dues[change.status].append(change.write.content.due)
    assert max(dues["applied"]) <= min(dues["skipped"])
    github.advance(timedelta(hours=1))
    assert run(project, [connector(server)], TODAY).errors == []
    assert len(github.issues()) == 500
    github.advance(timedelta(hours=1))
    assert run(project, [connector(server)], TODAY).silent


@pytest.mark.parametrize("budget", [5, 15, 30, 31])
@pytest.mark.parametrize("options", [{}, {"dependencies": True, "project": 4}])
def test_a_run_with_little_time_writes_what_github_takes_at_once(
    server: GitHubServer, tmp_path: Path, github: GitHub, budget: float, options: dict[str, Any]
) -> None:
    project = load(tmp_path, a_goal())
    done = run(project, [connector(server, budget=budget, **options)], TODAY)
    assert done.errors == []
    assert titles(github) == ["Begin", "Finish", "Go on", "Reach it"]


def test_a_run_whose_time_is_too_short_to_write_says_so(server: GitHubServer, tmp_path: Path) -> None:
    done = run(load(tmp_path, a_goal()), [connector(server, budget=0.5)], TODAY)
    assert len(done.errors) == 4
    assert any("this run may take no more than 0.5 s (BACKPLAN_TIME_BUDGET)" in error for error in done.errors)


def test_the_command_with_too_little_time_ends_with_1(
    person: Person, server: GitHubServer, env: dict[str, str]
) -> None:
    person.writes(GOALS)
    done = person.run("sync", env={**env, "BACKPLAN_TIME_BUDGET": "0.5"})
    assert done.code == 1
    assert "(BACKPLAN_TIME_BUDGET)" in " ".join((done.out + done.err).split())


def test_long_lists_are_read_to_their_end(server: GitHubServer, tmp_path: Path, github: GitHub) -> None:
    for number in range(250):
        github.add_issue(f"Somebody's {number}")
    world = World(GitHubAccount(server), tmp_path)
    world.sync()
    github.delete_label("backplan")
    again = connector(server)
    assert run(world.project, [again], TODAY).silent
    assert sent(again) == (1 + 3, 0)


# Limits


def test_too_many_requests_are_waited_for(world: World, server: GitHubServer, github: GitHub) -> None:
    started = github.now
    server.faults.retry_after = 20
    server.faults.at(0, Fault.RATE_LIMITED, 2)
    again = connector(server)
    assert run(world.project, [again], TODAY).silent
    assert sent(again) == (4, 0)
    assert github.now - started >= timedelta(seconds=40)


def test_when_no_request_is_left_the_reset_is_waited_for(world: World, server: GitHubServer, github: GitHub) -> None:
    token = github.tokens[github.token]
    token.limit = token.spent
    with pytest.raises(BackplanError, match="accepts requests again in 1800 s"):
        connector(server).read()
    assert server.log[-1].status == 403


def test_mutations_that_came_too_quickly_are_asked_for_again(
    server: GitHubServer, tmp_path: Path, github: GitHub
) -> None:
    github.too_fast = {1, 2}
    assert run(load(tmp_path, a_goal()), [connector(server)], TODAY).errors == []
    assert titles(github) == ["Begin", "Finish", "Go on", "Reach it"]


def test_secondary_limits_that_were_hit_are_waited_for(server: GitHubServer, tmp_path: Path, github: GitHub) -> None:
    github.a_minute = 5
    assert run(load(tmp_path, a_goal(steps=steps(12))), [connector(server)], TODAY).errors == []
    assert len(titles(github)) == 13


# A company's own server


def test_an_older_server_of_a_companys_own_has_no_sub_issues(tmp_path: Path) -> None:
    missing = ["parentIssueId", "addSubIssue", "removeSubIssue", "reprioritizeSubIssue"]
    with GitHubServer(enterprise=True, without=missing) as server:
        world = World(GitHubAccount(server), tmp_path)
        world.sync()
        world.goal["deadline"] = "2027-10-07"
        world.sync()
        world.remove_step("two")
        world.sync()
        assert issue(world, "g").children == []
        assert titles(server.service) == ["Begin", "Finish", "Reach it"]
        facts = {fact.what: fact.sentence for fact in connector(server).facts()}
        assert "no sub-issues" in facts["structure"]


# Faults


def scenario_new(world: World) -> None:
    world.sync()
    world.goal["steps"].insert(1, {"id": "new", "title": "Think", "takes": "1 day"})


SCENARIOS = (scenario_first, scenario_deadline, scenario_removed, scenario_done, scenario_new)
FIRST_NOW = (scenario_first, *(pytest.param(scenario, marks=pytest.mark.proof) for scenario in SCENARIOS[1:]))


def _prepared(folder: Path, server: GitHubServer, scenario: Callable[[World], None]) -> World:
    add_fields(server.service)
    world = World(GitHubAccount(server), folder)
    world.service.add_foreign_task("Buy milk")
    scenario(world)
    return world


def _number_of_requests(folder: Path, scenario: Callable[[World], None]) -> int:
    with GitHubServer() as server:
        world = _prepared(folder, server, scenario)
        before = server.count()
        run(world.project, [connector(server)], TODAY)
        return server.count() - before


def _assert_all_is_well(world: World, scenario: Callable[[World], None], server: GitHubServer) -> None:
    """After one clean run each issue is there exactly once, and the next has nothing to do."""
    server.faults.clear()
    assert run(world.project, [connector(server)], TODAY).errors == []
    again = connector(server)
    done = run(world.project, [again], TODAY)
    assert done.silent
    assert again.requests.write == 0
    for task in done.found.views[0].snapshot.tasks:
        one = server.service.issue(task.native_id)
        assert task.done or fields_of(server.service, one).get("Target date") == str(task.content.due)
    expected = {"Reach it", "Begin", "Go on", "Finish", "Buy milk"}
    expected = expected - {"Go on"} if scenario is scenario_removed else expected
    expected = expected | {"Think"} if scenario is scenario_new else expected
    assert titles(server.service) == sorted(expected)


_FAULTS = [
    Fault.NOT_SENT,
    Fault.LOST,
    Fault.SERVER_ERROR,
    Fault.BAD_GATEWAY_APPLIED,
    Fault.RATE_LIMITED,
    Fault.HALF,
    Fault.TRUNCATED,
    Fault.HTML_200,
    Fault.PARTIAL,
]


EVERYTHING: dict[str, Any] = {"project": 4, "dependencies": True, "milestone": True}
_ENOUGH = 60.0  # seconds, for a run that still has time to change something after what is kept for all else


@pytest.mark.proof
@pytest.mark.parametrize("fault", [Fault.LOST, Fault.PARTIAL])
@pytest.mark.parametrize(
    ("scenario", "back"), [(scenario_first, False), (scenario_deadline, False), (scenario_deadline, True)]
)
def test_a_fault_anywhere_with_a_project_and_links_leaves_no_pin(
    tmp_path: Path, scenario: Callable[[World], None], back: bool, fault: Fault
) -> None:
    """From some request on nothing is answered any more; the next run takes nothing of that for a person's move.

    Not even where the goals file says by then (`back`) what it said before.
    """
    ended = False
    for at in range(30):
        with GitHubServer() as server:
            server.service.add_project("ann", 4)
            add_fields(server.service)
            world = World(GitHubAccount(server, **EVERYTHING), tmp_path)
            before = world.goal["deadline"]
            scenario(world)
            server.faults.at(at, fault)
            server.faults.at(at + 1, Fault.NOT_SENT, 1000)
            count = server.count()
            with suppress(BackplanError):
                run(world.project, [connector(server, budget=_ENOUGH, **EVERYTHING)], TODAY)
            ended = server.count() - count <= at
            server.faults.clear()
            world.goal["deadline"] = before if back else world.goal["deadline"]
            assert run(world.project, [connector(server, **EVERYTHING)], TODAY).errors == []
            world.sync()
            assert len(titles(server.service)) == 4
            for task in world.tasks().values():
                assert not task.marker.pinned, at
                one, due = server.service.issue(task.native_id), str(task.content.due)
                assert fields_of(server.service, one)["Target date"] == due, at
                # What is not in the project stays out until its date moves.
                assert [value["Due"] for value in one.dates.values()] in ([due], []), at
        if ended:
            break
    assert ended


@pytest.mark.parametrize("scenario", FIRST_NOW)
def test_one_fault_anywhere_is_overcome_within_the_run(tmp_path: Path, scenario: Callable[[World], None]) -> None:
    for at, fault in product(tiers.requests(_number_of_requests(tmp_path, scenario)), _FAULTS):
        with GitHubServer() as server:
            world = _prepared(tmp_path, server, scenario)
            server.faults.at(at, fault)
            done = run(world.project, [connector(server)], TODAY)
            assert done.errors == [], (at, fault)
            _assert_all_is_well(world, scenario, server)


@pytest.mark.parametrize("days", [-400, -1, 1])
@pytest.mark.parametrize("fault", [Fault.LOST, Fault.PARTIAL])
def test_what_was_made_without_an_answer_is_found_whatever_the_clock_of_this_machine_says(
    tmp_path: Path, fault: Fault, days: int
) -> None:
    """days: by how many GitHub's clock is ahead."""
    for at in tiers.requests(_number_of_requests(tmp_path, scenario_first)):
        with GitHubServer() as server:
            world = _prepared(tmp_path, server, scenario_first)
            server.faults.at(at, fault)
            assert run(world.project, [connector(server, ahead=timedelta(days))], TODAY).errors == [], at
            _assert_all_is_well(world, scenario_first, server)


@pytest.mark.parametrize("fault", [Fault.LOST, Fault.BAD_GATEWAY_APPLIED, Fault.PARTIAL, Fault.UNAUTHORIZED])
@pytest.mark.parametrize("scenario", FIRST_NOW)
def test_a_run_that_ends_at_any_request_is_finished_by_the_next(
    tmp_path: Path, scenario: Callable[[World], None], fault: Fault
) -> None:
    """From there on nothing is answered any more, in a run that has little time to wait."""
    for at in tiers.requests(_number_of_requests(tmp_path, scenario)):
        with GitHubServer() as server:
            world = _prepared(tmp_path, server, scenario)
            server.faults.at(at, fault)
            server.faults.at(at + 1, Fault.NOT_SENT, 1000)
            with suppress(BackplanError):
                run(world.project, [connector(server, budget=_ENOUGH)], TODAY)
            made = [title for title in titles(server.service) if title != "Buy milk"]
            assert len(made) == len(set(made)), (at, fault)
            _assert_all_is_well(world, scenario, server)


@pytest.mark.parametrize("scenario", FIRST_NOW)
def test_killed_after_any_request(tmp_path: Path, scenario: Callable[[World], None]) -> None:
    for last in range(1, _number_of_requests(tmp_path, scenario) + 1):
        with GitHubServer() as server:
            world = _prepared(tmp_path, server, scenario)

            class Dying(Api):
                sent = 0

                def _answered(self, response: requests.Response, last: int = last) -> requests.Response:
                    Dying.sent += 1
                    if Dying.sent == last:
                        raise Killed
                    return super()._answered(response)

            with pytest.raises(Killed):
                run(world.project, [connector(server, api=Dying)], TODAY)
            _assert_all_is_well(world, scenario, server)


@pytest.mark.parametrize("scenario", FIRST_NOW)
def test_two_runs_that_race_are_put_right_by_the_next(tmp_path: Path, scenario: Callable[[World], None]) -> None:
    """Both read before either writes, and then their requests take turns, in every order of who is ahead."""
    for ahead in range(4):
        with GitHubServer() as server:
            world = _prepared(tmp_path, server, scenario)
            ones = [connector(server), connector(server)]
            runs = [_execute(world.project, one) for one in ones]
            _take_turns(runs, ones, ahead)
            run(world.project, [connector(server)], TODAY)  # nobody has to allow anything
            _assert_all_is_well(world, scenario, server)


def _execute(project: Project, one: GitHubConnector) -> Generator[work.Request, Any, object]:
    """Read and plan, and return what carries the plan out."""
    homes = (Binding(one, frozenset(goal.id for goal in project.goals)),)
    plans = pipeline.make_plans(reading.read(project, homes, TODAY))
    return executor.execute(plans, {one.label: one.capabilities})


def _take_turns(runs: list[Any], ones: list[GitHubConnector], ahead: int) -> None:
    answers: list[Any] = [None, None]
    ended = set()
    for turn in [0] * ahead + [1, 0] * 10:
        if turn in ended:
            continue
        try:
            request = runs[turn].send(answers[turn])
        except StopIteration:
            ended.add(turn)
            continue
        try:
            answers[turn] = ones[turn].apply(request.batch)
        except BackplanError as error:
            answers[turn] = error


# Together with other apps


def test_a_tick_in_one_app_completes_in_the_other_in_the_same_run(tmp_path: Path) -> None:
    project = load(tmp_path, a_goal())
    with (
        GitHubServer(GitHub(now=todoist_account.NOW)) as server,
        TodoistServer(Todoist(PRO, now=todoist_account.NOW)) as other,
    ):

        def both() -> list[Any]:
            return [connector(server), todoist_account.connector(other)]

        def done() -> tuple[set[str], set[str]]:
            closed = {issue.title for issue in server.service.issues() if issue.state == "closed"}
            return closed, {task["content"] for task in other.service.tasks() if task["checked"]}

        assert run(project, both(), TODAY).errors == []
        other.service.tick(next(task["id"] for task in other.service.tasks() if task["content"] == "Begin"))
        run(project, both(), TODAY)
        assert done() == ({"Begin"}, {"Begin"})
        server.service.close(next(issue.number for issue in server.service.issues() if issue.title == "Go on"))
        run(project, both(), TODAY)
        assert done() == ({"Begin", "Go on"}, {"Begin", "Go on"})
        server.service.reopen(next(issue.number for issue in server.service.issues() if issue.title == "Go on"))
        run(project, both(), TODAY)
        assert done() == ({"Begin"}, {"Begin"})
        assert run(project, both(), TODAY).silent


def test_a_tick_in_the_markdown_list_closes_the_issue(server: GitHubServer, tmp_path: Path, github: GitHub) -> None:
    project = load(tmp_path, a_goal())

    def both() -> list[Any]:
        return [connector(server), MarkdownConnector(tmp_path / "todo.md", NAMESPACE)]

    run(project, both(), TODAY)
    text = (tmp_path / "todo.md").read_text("utf-8")
    (tmp_path / "todo.md").write_text(text.replace("[ ] Go on", "[x] Go on"), encoding="utf-8")
    run(project, both(), TODAY)
    assert [issue.title for issue in github.issues() if issue.state_reason == "completed"] == ["Go on"]


# Settings, and the real command


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({}, "`repo` is missing; expected the owner and the name of a repository, such as me/goals"),
        ({"repo": "goals"}, "invalid `repo: goals`; expected the owner and the name of a repository"),
        ({"repo": "../../x/y"}, "invalid `repo: ../../x/y`"),
        ({"repo": "me/goals", "milestones": True}, "invalid option `milestones`; did you mean `milestone`"),
        ({"repo": "me/goals", "milestone": "yes"}, "invalid `milestone: yes`; expected true or false"),
        ({"repo": "me/goals", "label": ""}, "invalid `label: `; expected a word"),
        (
            {"repo": "me/goals", "target_date_field": True},
            "invalid `target_date_field: True`; expected the name of",
        ),
    ],
)
def test_wrong_settings_are_named(options: dict[str, Any], said: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=said):
        GitHubConnector.configure(options, NAMESPACE, Environment.of_process(tmp_path))


GOALS = """
namespace: me/goals
sync:
  - github: {repo: ann/goals, milestone: true}
goals:
  - id: g
    title: Reach it
    deadline: 2027-09-30
    steps: [{id: one, title: Begin}, {id: two, title: Go on}]
"""


@pytest.fixture
def env(server: GitHubServer) -> dict[str, str]:
    return {"GITHUB_API_URL": server.base, "GITHUB_TOKEN": server.service.token}


def test_the_command_syncs(person: Person, server: GitHubServer, env: dict[str, str]) -> None:
    person.writes(GOALS)
    planned = person.run("plan", "--json", env=env)
    assert planned.code == 0, planned.err
    assert planned.json["connectors"][0]["budget"] == {"requests": 1, "minutes": 0}
    assert "3 changes to make; about 1 request and seconds" in person.run("plan", env=env).out
    assert server.service.issues() == []
    done = person.run("sync", "--json", env=env)
    assert done.code == 0, done.err
    assert [change["status"] for change in done.json["connectors"][0]["changes"]] == ["applied"] * 3
    assert titles(server.service) == ["Begin", "Go on", "Reach it"]
    writes = server.commands
    again = person.run("sync", env=env)
    assert (again.code, server.commands) == (0, writes)
    assert server.service.token not in done.out + done.err + again.out + again.err


@pytest.mark.proof
def test_the_command_says_once_that_fields_cannot_be_set(
    person: Person, server: GitHubServer, env: dict[str, str]
) -> None:
    add_fields(server.service)
    server.service.tokens[env["GITHUB_TOKEN"]].fields = "read"
    person.writes(GOALS)
    done = person.run("sync", env=env)
    assert done.code == 0, done.err
    assert done.err.count("github (ann/goals): the token cannot set “Target date” and “Start date”") == 1
    again = person.run("sync", env=env)
    assert (again.code, "cannot set" in again.err) == (0, False)


def test_the_token_may_stand_in_a_file(person: Person, env: dict[str, str]) -> None:
    person.writes(GOALS)
    person.writes(env.pop("GITHUB_TOKEN") + "\n", "token")
    assert person.run("plan", env={**env, "GITHUB_TOKEN_FILE": str(person.folder / "token")}).code == 0


def test_without_a_token_the_command_says_where_to_get_one(person: Person, env: dict[str, str]) -> None:
    person.writes(GOALS)
    del env["GITHUB_TOKEN"]
    done = person.run("sync", env=env)
    assert done.code == 77
    assert "Fine-grained tokens" in done.err
    assert person.run("schedule").code == 0


def test_no_secret_is_shown_whatever_goes_wrong(person: Person, server: GitHubServer, env: dict[str, str]) -> None:
    person.writes(GOALS)
    canary = "ghp_canary0123456789abcdefABCDEF"
    for fault in (None, Fault.SERVER_ERROR, Fault.HTML_200, Fault.LOST, Fault.UNAUTHORIZED):
        server.faults.clear()
        if fault:
            server.faults.at(0, fault, 100)
        more = {"GITHUB_TOKEN": canary, "BACKPLAN_TIME_BUDGET": "1"}
        done = person.run("sync", "-v", "--json", env={**env, **more})
        assert done.code != 0
        assert canary not in done.out + done.err
        assert "Traceback" not in done.err


def test_doctor_tells_what_there_is(person: Person, env: dict[str, str]) -> None:
    person.writes(GOALS)
    done = person.run("doctor", "--json", env=env)
    (said,) = done.json["connectors"]
    assert {fact["what"]: fact["ok"] for fact in said["facts"]} == dict.fromkeys(
        ("token", "account", "repository", "fields", "rights", "structure", "requests"), True
    )
    wrong = person.run("doctor", env={**env, "GITHUB_TOKEN": "0" * 40})
    assert (wrong.code, "WRONG" in wrong.out) == (1, True)
