"""The comment on a pull request: what it changes, asked of a real Git repository and a GitHub that has its base."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from tests import repository
from tests.action.steps import Step
from tests.servers.github import GitHub
from tests.servers.github_server import GitHubServer

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from tests.conftest import Person
    from tests.servers.github import Issue

GARDEN = "- {title: Garden, deadline: 2027-09-01, steps: [Dig, Sow]}\n"
TRIP = "- {title: Trip, deadline: 2027-10-01, steps: [Book, Pack]}\n"
MOVE = "- {title: Move, deadline: 2027-12-01, template: moving-abroad}\n"
SHED = "- {title: Shed, deadline: 2027-11-01, template: shed}\n"
SHED_TEMPLATE = "goals: [{title: A shed, steps: [{title: Buy wood, takes: 2 days}, Build it]}]\n"


@dataclass
class Pull:
    """A pull request, merged into its base by GitHub for the run, of which the runner has that one commit."""

    person: Person
    server: GitHubServer
    folder: Path
    issue: Issue

    def runs(
        self,
        base: dict[str, str],
        changed: dict[str, str],
        *,
        moved_on: dict[str, str] | None = None,
        goals: str = "",
    ) -> str:
        """Run the action, and return the comment. moved_on: what the base has got since the branch was made."""
        remote = self.folder / "remote"
        work = self.folder / "work"
        repository.make(work, remote)
        repository.push(work, base)
        repository.git(work, "switch", "--quiet", "--create", "other")
        repository.push(work, changed, "other")
        repository.git(work, "switch", "--quiet", "main")
        first = repository.push(work, moved_on or {})
        repository.git(work, "merge", "--quiet", "--no-ff", "--message", "Merge", "other")
        repository.git(work, "push", "--quiet", "origin", "HEAD:refs/pull/1/merge")
        merged = repository.git(work, "rev-parse", "HEAD").strip()
        self.server.service.repo.git = remote
        here = self.person.folder
        repository.git(here, "init", "--quiet")
        repository.git(here, "fetch", "--quiet", "--depth=1", remote.as_uri(), "refs/pull/1/merge")
        repository.git(here, "checkout", "--quiet", "FETCH_HEAD")
        event = {"pull_request": {"number": self.issue.number, "base": {"ref": "main", "sha": first}}}
        return self._run(merged, event, goals)

    def _run(self, commit: str, event: Mapping[str, object], goals: str) -> str:
        service = self.server.service
        token = service.workflow_token(service.repo, contents="read", pull_requests="write").text
        told = self.folder / "event.json"
        told.write_text(json.dumps(event), "utf-8")
        done = Step(self.person).run(
            "pull_request",
            INPUT_COMMAND="plan",
            INPUT_COMMENT="true",
            INPUT_GOALS=goals,
            GITHUB_API_URL=self.server.base,
            GITHUB_EVENT_PATH=str(told),
            GITHUB_REF="refs/pull/1/merge",
            GITHUB_REPOSITORY=service.repo.full_name,
            GITHUB_SHA=commit,
            GITHUB_TOKEN=token,
            WORKFLOW_TOKEN=token,
        )
        assert done.code == 0, done.out + done.err
        (comment,) = self.issue.comments
        return comment.body


@pytest.fixture
def pull(person: Person, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pull]:
    with GitHubServer(GitHub()) as server:
        issue = server.service.add_issue("Another deadline")
        issue.pull_request = True
        yield Pull(person, server, tmp_path_factory.mktemp("pull"), issue)


def test_it_shows_the_goals_that_it_touches_and_counts_the_others(pull: Pull) -> None:
    later = GARDEN.replace("2027-09-01", "2027-08-01").replace("Sow", "Sow, Water")
    comment = pull.runs({"goals.yaml": f"goals:\n{GARDEN}{TRIP}"}, {"goals.yaml": f"goals:\n{later}{TRIP}"})
    assert "## 🟢 backplan: 3 tasks move in 1 goal, 1 new\n" in comment
    assert (
        "### 🟢 Garden\n\non track, 42 days in hand → **on track, 10 days in hand** · "
        "deadline Wed 1 Sep → **Sun 1 Aug**\n\n"
        "- Dig · Tue 10 Aug → **Sat 24 Jul** · the deadline moved\n"
    ) in comment
    assert "\n- Sow · Wed 1 Sep → **Wed 28 Jul** · the deadline moved\n" in comment
    assert "<details><summary>1 new step</summary>\n\n- Water · Sun 1 Aug\n\n</details>" in comment
    assert "\n1 other goal: 1 on track.\n" in comment
    assert "Trip" not in comment
    assert not list(pull.person.folder.glob(".backplan-*"))


@pytest.mark.proof
def test_what_others_have_merged_meanwhile_is_no_change_of_this_one(pull: Pull) -> None:
    base = {"goals/garden.yaml": f"goals:\n{GARDEN}", "goals/trip.yaml": f"goals:\n{TRIP}"}
    changed = {"goals/garden.yaml": f"goals:\n{GARDEN.replace('Dig', 'Dig twice')}"}
    moved_on = {"goals/trip.yaml": f"goals:\n{TRIP.replace('2027-10-01', '2027-10-08')}"}
    comment = pull.runs(base, changed, moved_on=moved_on, goals="goals")
    assert "## 🟢 backplan: no date moves\n" in comment
    assert "- Dig · title changed\n" in comment
    assert "Trip" not in comment


@pytest.mark.proof
def test_a_changed_template_touches_the_goals_that_use_it(pull: Pull) -> None:
    base = {"goals.yaml": f"goals:\n{SHED}{GARDEN}", "templates/shed.yaml": SHED_TEMPLATE}
    comment = pull.runs(base, {"templates/shed.yaml": SHED_TEMPLATE.replace("2 days", "2 weeks")})
    assert "- Buy wood · " in comment
    assert "· its `takes` changed\n" in comment
    assert "1 other goal: 1 on track." in comment


@pytest.mark.proof
def test_a_goal_that_is_new_or_removed_is_told_as_a_whole(pull: Pull) -> None:
    comment = pull.runs({"goals.yaml": f"goals:\n{GARDEN}{MOVE}"}, {"goals.yaml": f"goals:\n{MOVE}{TRIP}"})
    assert "## 🟢 backplan: 2 new, 2 removed\n" in comment
    assert (
        "### 🟢 Trip\n\nnew · on track, 72 days in hand · deadline Fri 1 Oct\n\n<details><summary>2 new steps"
        in comment
    )
    assert "### 🟢 Garden\n\nremoved\n" in comment


@pytest.mark.proof
def test_a_first_goals_file_is_all_new(pull: Pull) -> None:
    comment = pull.runs({"README.md": "Hello\n"}, {"goals.yaml": f"goals:\n{GARDEN}"})
    assert "## 🟢 backplan: 2 new\n" in comment


@pytest.mark.proof
def test_where_the_base_has_mistakes_the_whole_plan_is_shown_and_why(pull: Pull) -> None:
    comment = pull.runs({"goals.yaml": "goals: [{title: G}]\n"}, {"goals.yaml": f"goals:\n{GARDEN}{TRIP}"})
    assert "The whole plan is shown, for the goals file before this pull request could not be read" in comment
    assert "Trip" in comment


def test_progress_in_a_list_of_the_repository_counts_before_and_after(pull: Pull) -> None:
    goals = f"goals:\n{GARDEN}"
    pull.person.writes(goals)
    assert pull.person.run("sync").code == 0
    ticked = pull.person.todo.read_text("utf-8").replace("- [ ] Dig", "- [x] Dig")
    pull.person.todo.unlink()
    pull.person.goals.unlink()
    comment = pull.runs({"goals.yaml": goals, "todo.md": ticked}, {"goals.yaml": goals.replace("Sow", "Plant")})
    assert "## 🟢 backplan: no date moves\n" in comment
    assert "- Sow · title changed\n" in comment
