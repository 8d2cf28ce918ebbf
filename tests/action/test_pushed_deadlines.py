"""A goal that is dragged in the list moves the deadline on the branch: the action as a process, and real git."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests import repository
from tests.action.checkout import Checkout
from tests.action.steps import Step
from tests.servers.github import GitHub
from tests.servers.github_server import GitHubServer

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.conftest import Done, Person

GOALS = """\
deadlines: app
goals:
  - {id: move, title: Move house, deadline: 2027-12-01, steps: [Pack]}  # soon
"""


class Place:
    """A repository with a list in which the goal was dragged."""

    def __init__(self, person: Person, server: GitHubServer) -> None:
        self.person, self.checkout = person, Checkout(person.folder, server)
        self.checkout.push({"goals.yaml": GOALS, ".gitignore": "/temp\ngithub_*\n"})
        self.step = Step(person)
        assert self.run().code == 0
        self.checkout.push({"todo.md": self.todo})
        person.todo.write_text(self.todo.replace("house 📅 2027-12-01", "house 📅 2027-12-11"), "utf-8")
        self.checkout.push({"todo.md": self.todo})

    def run(self, **env: str) -> Done:
        return self.step.run(**{**self.checkout.env, **env})

    @property
    def todo(self) -> str:
        return self.person.todo.read_text("utf-8")

    def there(self, name: str = "goals.yaml", branch: str = "main") -> str:
        assert self.checkout.server.service.repo.git
        return repository.git(self.checkout.server.service.repo.git, "show", f"{branch}:{name}")

    def refuse(self, why: str) -> None:
        self.hook(f"echo '{why}' >&2\nexit 1")

    def hook(self, script: str) -> None:
        assert self.checkout.server.service.repo.git
        hook = self.checkout.server.service.repo.git / "hooks" / "pre-receive"
        hook.parent.mkdir(exist_ok=True)
        hook.write_text(f"#!/bin/sh\n{script}\n", "utf-8")
        hook.chmod(0o755)


@pytest.fixture
def place(person: Person) -> Iterator[Place]:
    with GitHubServer(GitHub()) as server:
        yield Place(person, server)


def test_the_edit_is_pushed_before_the_tasks_are_written(place: Place) -> None:
    done = place.run()
    assert done.code == 0, done.err
    assert place.there() == GOALS.replace("2027-12-01", "2027-12-11")
    assert place.checkout.git("log", "-1", "--format=%s%n%an").splitlines() == [
        "backplan: move move to 2027-12-11",
        "github-actions[bot]",
    ]
    assert place.todo.count("📅 2027-12-11") == 2
    assert "wrote goals.yaml: the deadline of move is Sat 11 Dec" in place.step.summary
    again = place.todo
    place.run()
    assert (place.todo, place.there()) == (again, GOALS.replace("2027-12-01", "2027-12-11"))


def test_a_plan_pushes_nothing(place: Place) -> None:
    before = place.todo
    done = place.run(INPUT_COMMAND="plan")
    assert done.code == 0
    assert "would write goals.yaml: the deadline of move is Sat 11 Dec" in place.step.summary
    assert (place.there(), place.todo) == (GOALS, before)


@pytest.mark.parametrize(
    ("why", "stays", "said"),
    [
        ("remote: error: GH006: Protected branch update failed", True, "no pull request could be opened"),
        ("The requested URL returned error: 403", False, "the workflow may not push"),
        ("the disk is full", True, "so the next run tries again"),
    ],
)
def test_what_cannot_be_pushed_is_said_and_only_a_missing_right_puts_it_back(
    place: Place, why: str, stays: bool, said: str
) -> None:
    place.refuse(why)
    done = place.run()
    assert done.code == 0, done.err
    assert said in done.out.replace("\n", " ") or said in place.step.summary
    assert "::warning title=backplan::The deadline of move could not be pushed" in done.out
    assert place.person.goals.read_text("utf-8") == GOALS
    assert place.there() == GOALS
    assert ("house 📅 2027-12-11" in place.todo) is stays


def test_a_push_of_somebody_else_in_between_is_taken_along(place: Place) -> None:
    place.checkout.moves_on({"notes.md": "theirs\n"})
    done = place.run()
    assert done.code == 0, done.err
    assert place.there("notes.md") == "theirs\n"
    assert place.there() == GOALS.replace("2027-12-01", "2027-12-11")


def test_no_task_is_written_where_somebody_changed_the_goals_file_in_between(place: Place) -> None:
    before = place.todo
    place.checkout.moves_on({"goals.yaml": GOALS.replace("2027-12-01", "2027-11-15")})
    done = place.run(GITHUB_SHA="0" * 40)
    assert done.code == 1
    assert "was changed by a push during this run" in place.step.summary
    assert (place.there(), place.todo) == (GOALS.replace("2027-12-01", "2027-11-15"), before)


PROTECTED = """\
while read -r _ _ ref; do
  case "$ref" in refs/heads/main) echo 'remote: error: GH006: Protected branch update failed' >&2; exit 1;; esac
done"""
BRANCH = "backplan/move-2027-12-11"


@pytest.fixture
def protected(place: Place) -> Place:
    """A repository whose branch takes changes by pull requests alone; the workflow may open these."""
    place.hook(PROTECTED)
    service = place.checkout.server.service
    token = service.workflow_token(service.repo, contents="write", pull_requests="write").text
    place.checkout.env["WORKFLOW_TOKEN"] = token
    return place


def test_a_protected_branch_gets_one_pull_request(protected: Place) -> None:
    before, pulls = protected.todo, protected.checkout.server.service.repo.pulls
    for _ in range(2):
        done = protected.run()
        assert done.code == 0, done.err
        assert (protected.todo, protected.there(), protected.checkout.git("status", "--short")) == (before, GOALS, "")
        assert "merge pull request" in protected.step.summary
    (pull,) = pulls
    assert (pull["head"]["ref"], pull["base"]["ref"]) == (BRANCH, "main")
    assert pull["title"] == "backplan: move move to 2027-12-11"
    assert protected.there(branch=BRANCH) == GOALS.replace("2027-12-01", "2027-12-11")


def test_a_pull_request_that_was_closed_puts_the_date_back(protected: Place) -> None:
    protected.run()
    (pull,) = protected.checkout.server.service.repo.pulls
    pull["state"] = "closed"
    protected.run()
    assert "was closed and not merged" in protected.step.summary
    assert protected.todo.count("📅 2027-12-01") == 2


def test_a_branch_of_a_run_that_was_killed_is_used(protected: Place) -> None:
    pulls = protected.checkout.server.service.repo.pulls
    protected.run()
    pulls.clear()
    protected.run()
    assert [pull["head"]["ref"] for pull in pulls] == [BRANCH]
