"""An old goals file is only planned: asked of a real Git repository and of a GitHub that has the newer commits."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from sync.action import newest
from tests.action.checkout import Checkout
from tests.action.steps import Step
from tests.conftest import FOOD_HANDLER, Person
from tests.servers.github import GitHub
from tests.servers.github_server import GitHubServer
from tests.servers.http import Fault

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

OLD, NEW = FOOD_HANDLER, FOOD_HANDLER.replace("2027-08-15", "2027-08-20")


@pytest.fixture
def server(request: pytest.FixtureRequest) -> Iterator[GitHubServer]:
    with GitHubServer(GitHub(), enterprise=getattr(request, "param", False)) as server:
        yield server


@pytest.fixture
def checkout(person: Person, server: GitHubServer) -> Checkout:
    checkout = Checkout(person.folder, server)
    checkout.push({"goals.yaml": OLD})
    return checkout


@pytest.fixture
def age(checkout: Checkout, monkeypatch: pytest.MonkeyPatch) -> Callable[..., newest.Age]:
    """Return the age of a goals file in the checkout."""

    def ask(path: str = "goals.yaml") -> newest.Age:
        monkeypatch.chdir(checkout.folder)
        for name, value in checkout.env.items():
            monkeypatch.setenv(name, value)
        return newest.age(Path(path))

    return ask


# The action


@pytest.mark.parametrize("attempt", ["1", "2"])
def test_an_old_goals_file_is_only_planned_and_it_is_said_what_to_do(
    person: Person, checkout: Checkout, attempt: str
) -> None:
    checkout.moves_on({"goals.yaml": NEW})
    step = Step(person)
    done = step.run(**{**checkout.env, "GITHUB_RUN_ATTEMPT": attempt})
    assert done.code == 0
    assert not person.todo.exists()
    assert "::warning title=backplan::This run has an old `goals.yaml`: the branch `main` has a newer one" in done.out
    assert "open Actions > backplan, and press Run workflow." in done.out
    for said in (done.out, step.summary):
        assert (
            "and press Run workflow. For runs that take the newest file by themselves, write `ref: ${{ github.ref }}`"
            in said
        )
    assert "7 changes to make" in step.summary
    assert (step.outputs["changed"], step.outputs["created"]) == ("true", "7")


def test_an_old_goals_file_that_would_remove_most_tasks_is_green_too(person: Person, checkout: Checkout) -> None:
    step = Step(person)
    checkout.push({"goals.yaml": "goals: []\n"})
    old = checkout.env["GITHUB_SHA"]
    checkout.push({"goals.yaml": NEW})
    assert step.run(**checkout.env).code == 0
    tasks = person.todo.read_text("utf-8")
    checkout.git("checkout", "--quiet", old)
    checkout.env["GITHUB_SHA"] = old
    done = step.run(**checkout.env)
    assert done.code == 0
    assert "This run has an old `goals.yaml`" in step.summary
    assert step.outputs["removed"] == "7"
    assert person.todo.read_text("utf-8") == tasks


@pytest.mark.parametrize("server", [False, True], ids=["github.com", "enterprise"], indirect=True)
def test_the_newest_goals_file_is_synced_and_costs_one_request(person: Person, checkout: Checkout) -> None:
    done = Step(person).run(**checkout.env)
    assert done.code == 0
    assert "::" not in done.out
    assert person.todo.exists()
    assert checkout.server.count() == 1


@pytest.mark.parametrize("attempt", ["1", "2"])
def test_where_it_cannot_be_found_out_only_what_is_started_again_is_held_back(
    person: Person, checkout: Checkout, attempt: str
) -> None:
    step = Step(person)
    done = step.run(**{**checkout.env, "WORKFLOW_TOKEN": "unknown", "GITHUB_RUN_ATTEMPT": attempt})
    assert done.code == 0
    again = attempt == "2"
    assert f"::{'warning' if again else 'notice'} title=backplan::Whether `goals.yaml` is the newest" in done.out
    assert "could not be found out: GitHub answers 401 Bad credentials" in step.summary
    assert ("press Run workflow" in step.summary) == again
    assert person.todo.exists() != again


@pytest.mark.parametrize(
    ("event", "inputs"),
    [("pull_request", {}), ("push", {"INPUT_COMMAND": "plan"}), ("push", {"INPUT_COMMAND": "check"})],
)
def test_what_writes_nothing_asks_nothing(
    person: Person, checkout: Checkout, event: str, inputs: dict[str, str]
) -> None:
    checkout.moves_on({"goals.yaml": NEW})
    done = Step(person).run(**{**checkout.env, **inputs, "GITHUB_EVENT_NAME": event})
    assert done.code == 0
    assert "old" not in done.out
    assert checkout.server.count() == 0


# What counts


def test_only_goals_files_count(checkout: Checkout, age: Callable[..., newest.Age]) -> None:
    checkout.moves_on({"todo.md": "- [ ] A task\n", "README.md": "Hello\n", "other.yaml": "goals: []\n"})
    assert age() == newest.Age()
    checkout.moves_on({"goals.yaml": NEW})
    assert age().old


def test_a_file_that_is_as_it_was_is_not_old(checkout: Checkout, age: Callable[..., newest.Age]) -> None:
    for text, old in ((NEW, True), (OLD, False)):
        checkout.moves_on({"goals.yaml": text})
        assert age().old == old


def test_a_file_that_is_not_there_any_more_is_old(checkout: Checkout, age: Callable[..., newest.Age]) -> None:
    checkout.moves_on({"plans/goals.yaml": OLD}, "goals.yaml")
    assert age().old


@pytest.mark.parametrize("name", ["plans/of this year", "Pläne", "100%", "a#b", ".goals"])
def test_a_folder_may_have_any_name(checkout: Checkout, age: Callable[..., newest.Age], name: str) -> None:
    for folder, path in (("", f"{name}.yaml"), (name, f"{name}/a.yaml")):
        checkout.push({path: OLD})
        assert age(folder or path) == newest.Age()
        checkout.moves_on({path: NEW})
        assert age(folder or path).old
        checkout.git("reset", "--quiet", "--hard", "origin/main")


@pytest.mark.parametrize(
    ("removed", "files", "old"),
    [
        ([], {}, False),
        ([], {"plans/todo.md": "theirs\n", "plans/more/c.yaml": OLD}, False),
        ([], {"plans/a.yaml": NEW}, True),
        ([], {"plans/b.yml": "goals: [] # none\n"}, True),
        ([], {"plans/c.yaml": "goals: []\n"}, True),
        (["plans/b.yml"], {}, True),
        (["plans"], {}, True),
        (["plans"], {"plan/a.yaml": OLD, "plan/b.yml": "goals: []\n"}, True),
    ],
)
def test_all_goals_files_of_a_folder_count(
    checkout: Checkout, age: Callable[..., newest.Age], removed: list[str], files: dict[str, str], *, old: bool
) -> None:
    checkout.push({"plans/a.yaml": OLD, "plans/b.yml": "goals: []\n", "plans/todo.md": "mine\n"})
    checkout.moves_on(files, *removed)
    assert age("plans").old == old


@pytest.mark.skipif(sys.platform == "win32", reason="symbolic links need a privilege there")
def test_behind_a_symbolic_link_is_the_file(checkout: Checkout, age: Callable[..., newest.Age]) -> None:
    (checkout.folder / "link.yaml").symlink_to("plans/real.yaml")
    checkout.push({"plans/real.yaml": OLD})
    assert age("link.yaml") == newest.Age()
    checkout.moves_on({"plans/real.yaml": NEW})
    assert age("link.yaml").old


def test_what_a_step_before_made_of_the_file_is_not_compared(
    checkout: Checkout, age: Callable[..., newest.Age]
) -> None:
    (checkout.folder / "goals.yaml").write_bytes(OLD.replace("\n", "\r\n").encode())
    assert age() == newest.Age()
    checkout.moves_on({"goals.yaml": NEW})
    (checkout.folder / "goals.yaml").write_text(NEW, "utf-8")
    assert age().old


def test_a_file_that_is_in_no_commit_is_nothing_to_ask_about(
    checkout: Checkout, age: Callable[..., newest.Age]
) -> None:
    (checkout.folder / "made.yaml").write_text(OLD, "utf-8")
    (checkout.folder / "made").mkdir()
    shutil.copy(checkout.folder / "made.yaml", checkout.folder / "made" / "goals.yaml")
    assert age("made.yaml") == age("made") == age("made/goals.yaml") == newest.Age()
    assert checkout.server.count() == 0


def test_what_the_workflow_chose_to_check_out_is_nothing_to_ask_about(
    checkout: Checkout, age: Callable[..., newest.Age]
) -> None:
    checkout.moves_on({"goals.yaml": NEW})
    checkout.env["GITHUB_SHA"] = "0" * 40
    assert age() == newest.Age()
    assert checkout.server.count() == 0


def test_a_branch_is_compared_with_itself(checkout: Checkout, age: Callable[..., newest.Age]) -> None:
    checkout.moves_on({"goals.yaml": NEW})
    checkout.git("switch", "--quiet", "--create", "other/branch")
    checkout.env["GITHUB_REF"] = "refs/heads/other/branch"
    checkout.push({"goals.yaml": OLD})
    assert age() == newest.Age()
    checkout.moves_on({"goals.yaml": NEW})
    assert "the branch `other/branch` has a newer one" in age().note


@pytest.mark.parametrize("name", ["GITHUB_ACTIONS", "GITHUB_REPOSITORY", "GITHUB_SHA", "GITHUB_REF"])
def test_elsewhere_than_on_github_nothing_is_asked(
    checkout: Checkout, age: Callable[..., newest.Age], name: str
) -> None:
    checkout.moves_on({"goals.yaml": NEW})
    checkout.env[name] = ""
    assert age() == newest.Age()
    assert checkout.server.count() == 0


# What cannot be found out


def no_token(checkout: Checkout) -> None:
    checkout.env["WORKFLOW_TOKEN"] = ""


def no_permission(checkout: Checkout) -> None:
    service = checkout.server.service
    checkout.env["WORKFLOW_TOKEN"] = service.workflow_token(service.repo, issues="write").text


def another_repository(checkout: Checkout) -> None:
    checkout.env["GITHUB_REPOSITORY"] = "ann/nothing"


def another_repository_and_a_folder(checkout: Checkout) -> None:
    checkout.push({"plans/goals.yaml": OLD}, "goals.yaml")
    another_repository(checkout)


def a_branch_that_is_gone(checkout: Checkout) -> None:
    checkout.git("--git-dir", str(checkout.server.service.repo.git), "branch", "--move", "main", "renamed")


def no_server(checkout: Checkout) -> None:
    checkout.server.stop()


def a_gateway(checkout: Checkout) -> None:
    checkout.server.faults.judge(lambda *_: Fault.BAD_GATEWAY)


def a_page(checkout: Checkout) -> None:
    checkout.server.faults.judge(lambda *_: Fault.HTML_200)


def an_empty_list(checkout: Checkout) -> None:
    checkout.server.faults.judge(lambda *_: Fault.EMPTY_200)


def a_list_that_is_cut(checkout: Checkout) -> None:
    checkout.push({f"file{number}": "" for number in range(1000)})


def no_checkout_by_git(checkout: Checkout) -> None:
    (checkout.folder / ".git").rename(checkout.folder / "git")


def a_broken_repository(checkout: Checkout) -> None:
    (checkout.folder / ".git" / "HEAD").write_text("", "utf-8")


@pytest.mark.parametrize(
    "happens",
    [
        no_token, no_permission, another_repository, another_repository_and_a_folder, a_branch_that_is_gone, no_server,
        a_gateway, a_page, an_empty_list, a_list_that_is_cut, no_checkout_by_git, a_broken_repository,
    ],
)  # fmt: skip
def test_what_cannot_be_read_is_no_evidence(
    checkout: Checkout,
    age: Callable[..., newest.Age],
    monkeypatch: pytest.MonkeyPatch,
    happens: Callable[[Checkout], None],
) -> None:
    monkeypatch.setattr(newest, "_BUDGET", 0.5)
    happens(checkout)
    path = next(path.relative_to(checkout.folder) for path in checkout.folder.rglob("goals.yaml"))
    first = age(path.as_posix())
    assert (first.old, "could not be found out: " in first.note) == (False, True)
    assert first.note.endswith(" This run goes on with the file as it was checked out.")
    checkout.env["GITHUB_RUN_ATTEMPT"] = "3"
    again = age(path.as_posix())
    assert again.old
    assert again.note.endswith("open Actions > backplan, and press Run workflow.")


def test_a_job_that_may_not_read_is_told_the_permission(checkout: Checkout, age: Callable[..., newest.Age]) -> None:
    no_permission(checkout)
    assert (
        "GitHub answers 403 Resource not accessible by integration. Write `permissions: {contents: read}`" in age().note
    )


def test_an_answer_that_was_lost_is_asked_for_again(checkout: Checkout, age: Callable[..., newest.Age]) -> None:
    checkout.moves_on({"goals.yaml": NEW})
    checkout.server.faults.at(0, Fault.LOST)
    assert "has a newer one" in age().note
    assert checkout.server.count() == 2
