"""The workflows that people copy run unchanged, with the action from this house, against a Todoist and a GitHub."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from datetime import date
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from config import goal_form
from sync.cli import starter, workflow_template
from tests.conftest import FOOD_HANDLER, ROOT
from tests.servers.http import Fault
from tests.servers.todoist import PRO, Todoist
from tests.servers.todoist_server import TodoistServer

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.action.runner import Done, Runner
    from tests.servers.github import GitHub
    from tests.servers.github_server import GitHubServer

GOALS = f"namespace: me/goals\nsync: [todoist]\n{FOOD_HANDLER}"
TODOIST = workflow_template.text("goals.yaml", ["todoist"])
ISSUES = workflow_template.text("goals.yaml", ["github"])
MARKDOWN = workflow_template.text("goals.yaml", ["markdown"])
MINE = """
on: [push, pull_request]
permissions: {}
jobs:
  sync:
    runs-on: ubuntu-latest
    permissions: {contents: read}
    steps:
      - uses: actions/checkout@v6
      - id: backplan
        uses: OWNER/backplan@v1
        with: %s
      - if: always()
        env:
          OUTPUTS: ${{ toJSON(steps.backplan.outputs) }}
        run: echo "$OUTPUTS" | tr -d '\\n'; ls
"""


@pytest.fixture
def todoist(runner: Runner) -> Iterator[TodoistServer]:
    with TodoistServer(Todoist(PRO)) as server:
        runner.env |= {"TODOIST_API_URL": server.url, "BACKPLAN_TIME_BUDGET": "1"}
        yield server


def secrets(server: TodoistServer) -> dict[str, str]:
    return {"TODOIST_API_TOKEN": server.service.owner.token}


def add(runner: Runner, goals: str, text: str) -> None:
    runner.push({"goals.yaml": goals, workflow_template.PATH: text})


def a_pull_request(number: int = 1, *, fork: bool = False, base: str = "") -> dict[str, Any]:
    head = {"ref": "other", "repo": {"fork": fork, "full_name": "somebody/goals" if fork else "ann/goals"}}
    return {"pull_request": {"number": number, "head": head, "base": {"ref": "main", "sha": base}}}


def in_the_readme() -> tuple[str, str]:
    """Return the goals file and the workflow that a person copies from the page for those who use a browser."""
    section = (ROOT / "docs" / "in-the-browser.md").read_text("utf-8")
    goals, text = re.findall(r"^```yaml(?: workflow)?\n(.*?)^```$", section, re.MULTILINE | re.DOTALL)
    return goals, text


@pytest.mark.proof
def test_from_nothing_to_tasks_on_the_phone(runner: Runner, todoist: TodoistServer) -> None:
    goals, text = in_the_readme()
    add(runner, goals, text)
    first = runner.happens("push", secrets=secrets(todoist))
    assert first.green, first.log
    assert "5 changes made" in first.summary
    tasks = {task["content"] for task in todoist.service.tasks()}
    assert tasks >= {"Find a course provider", "Take the test", "backplan last ran on Tue 20 Jul 2027"}

    before = todoist.service.state()
    nothing_changed = runner.happens("schedule", secrets=secrets(todoist))
    assert nothing_changed.green
    assert "in sync, nothing to do" in nothing_changed.summary
    assert todoist.service.state() == before

    add(runner, goals.replace("deadline: 2027-08-15", "deadline: 2027-08-20"), text)
    moved = runner.happens("push", secrets=secrets(todoist))
    assert moved.green
    assert "due: Sun 15 Aug → Fri 20 Aug" in moved.summary
    dues = {task["content"]: task["due"]["date"] for task in todoist.service.tasks() if task["due"]}
    assert dues["Complete my food handler certification"] == "2027-08-20"
    assert not moved.annotations


@pytest.mark.proof
def test_a_mistake_in_the_goals_file_is_shown_where_it_is(runner: Runner, todoist: TodoistServer) -> None:
    add(runner, GOALS.replace("deadline: 2027-08-15", "deadline: soon"), TODOIST)
    done = runner.happens("push", secrets=secrets(todoist))
    assert not done.green
    line = GOALS[: GOALS.index("deadline: 2027-08-15")].count("\n") + 1
    assert [a for a in done.annotations if a.startswith(f"error title=backplan,file=goals.yaml,line={line},col=15::")]
    assert "backplan stopped" in done.summary
    assert todoist.count() == 0


@pytest.mark.proof
@pytest.mark.parametrize("token", ["expired", ""])
def test_who_has_no_token_or_an_old_one_is_told_where_it_goes(
    runner: Runner, todoist: TodoistServer, token: str
) -> None:
    add(runner, GOALS, TODOIST)
    done = runner.happens("push", secrets={"TODOIST_API_TOKEN": token} if token else {})
    assert not done.green
    (told,) = done.annotations
    assert "Settings > Secrets and variables > Actions" in told
    assert "Settings > Integrations > Developer" in told
    assert not todoist.service.tasks()


@pytest.mark.proof
def test_a_service_that_is_down_is_named_and_the_next_run_does_the_work(runner: Runner, todoist: TodoistServer) -> None:
    add(runner, GOALS, TODOIST)
    todoist.faults.judge(lambda *_: Fault.BAD_GATEWAY)
    down = runner.happens("schedule", secrets=secrets(todoist))
    assert not down.green
    (told,) = down.annotations
    assert "todoist (Goals) could not be read, so its goals were left alone: Todoist cannot be reached" in told
    todoist.faults.clear()
    assert runner.happens("schedule", secrets=secrets(todoist)).green
    assert len(todoist.service.tasks()) >= 7


@pytest.mark.proof
def test_a_pull_request_gets_one_comment_that_is_kept_up_to_date(
    runner: Runner, todoist: TodoistServer, github: GitHubServer
) -> None:
    service, repo = github.service, github.service.repo
    number = _pull_request(service)
    token = service.workflow_token(repo, contents="read", pull_requests="write")
    given = {**secrets(todoist), "GITHUB_TOKEN": token.text}
    add(runner, GOALS, TODOIST)
    base = runner.git("rev-parse", "HEAD").strip()
    comments = repo.issues[number].comments
    for title, said in (("Find a course provider", "the plan stays as it is"), *[("A course", "no date moves")] * 2):
        add(runner, GOALS.replace("Find a course provider", title), TODOIST)
        done = runner.happens("pull_request", secrets=given, **a_pull_request(number, base=base))
        assert done.green, done.log
        assert not done.annotations
        (comment,) = comments
        assert f"backplan: {said}\n" in comment.body
        assert "the next run writes to todoist (Goals): 7 new." in comment.body
    assert github.count("PATCH") == 1
    assert not todoist.service.tasks()


def _pull_request(service: GitHub) -> int:
    issue = service.add_issue("Another deadline")
    issue.pull_request = True
    return issue.number


@pytest.mark.proof
def test_a_pull_request_from_a_fork_is_planned_without_secrets(
    runner: Runner, todoist: TodoistServer, github: GitHubServer
) -> None:
    service, repo = github.service, github.service.repo
    number = _pull_request(service)
    token = service.workflow_token(repo, contents="read", pull_requests="read")
    add(runner, GOALS, TODOIST)
    done = runner.happens("pull_request", secrets={"GITHUB_TOKEN": token.text}, **a_pull_request(number, fork=True))
    assert done.green, done.log
    assert "A pull request from a fork gets no secrets" in done.summary
    assert "next: Find a course provider, Sat 24 Jul" in done.summary
    (told,) = done.annotations
    assert told.startswith("notice title=backplan::the plan is not written as a comment")
    assert not repo.issues[number].comments
    assert not todoist.service.tasks()


@pytest.mark.proof
def test_steps_become_issues_of_the_repository(runner: Runner, github: GitHubServer) -> None:
    service, repo = github.service, github.service.repo
    add(runner, GOALS.replace("todoist", f"{{github: {{repo: {repo.full_name}}}}}"), ISSUES)
    weak = service.workflow_token(repo, contents="read")
    refused = runner.happens("schedule", secrets={"GITHUB_TOKEN": weak.text})
    assert not refused.green
    (told,) = refused.annotations
    assert "7 changes could not be made: the token in GITHUB_TOKEN lacks Issues: write" in told
    assert "write `permissions: {contents: read, issues: write}`" in told
    token = service.workflow_token(repo, contents="read", issues="write")
    assert runner.happens("push", secrets={"GITHUB_TOKEN": token.text}).green
    assert "Find a course provider" in {issue.title for issue in repo.issues.values()}
    closed = runner.happens("issues", action="closed", secrets={"GITHUB_TOKEN": token.text})
    assert closed.green
    assert "in sync, nothing to do" in closed.summary


@pytest.mark.proof
def test_a_list_in_the_repository_is_pushed_only_when_it_changed(runner: Runner) -> None:
    add(runner, FOOD_HANDLER, MARKDOWN)
    first = runner.happens("push")
    assert first.green, first.log
    assert runner.git("--git-dir", str(runner.remote), "show", "main:todo.md").count("- [ ]") == 7
    assert runner.git("--git-dir", str(runner.remote), "log", "-1", "--format=%an %s", "main").strip() == (
        "github-actions[bot] backplan: the list is up to date"
    )
    runner.git("pull", "--quiet")
    stood = runner.git("rev-parse", "main")
    assert runner.happens("schedule").green
    assert runner.git("--git-dir", str(runner.remote), "rev-parse", "main") == stood


@pytest.mark.proof
def test_a_list_that_cannot_be_pushed_says_what_to_do(runner: Runner) -> None:
    add(runner, FOOD_HANDLER, MARKDOWN)
    protected = runner.remote / "hooks" / "pre-receive"
    protected.write_text("#!/bin/sh\nexit 1\n", "utf-8")
    protected.chmod(0o755)
    assert not runner.happens("push").green
    # What a step says right before it ends, act may lose: so the step is asked by itself.
    (runner.repository / "todo.md").write_text("- [ ] Find a course provider\n", "utf-8")
    (keep,) = (
        step for step in yaml.safe_load(MARKDOWN)["jobs"]["sync"]["steps"] if step.get("name") == "Keep the list"
    )
    done = subprocess.run(
        ["bash", "-e", "-c", keep["run"]], cwd=runner.repository, capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert done.stdout.startswith("::error title=backplan::The list could not be pushed; nothing is lost.")
    assert "Start a new run (Actions > backplan > Run workflow)" in done.stdout


# An old run that is started again


def earlier(text: str) -> str:
    """Return a workflow as it was before the job that syncs took the branch's newest files."""
    made = re.sub(r"^ +ref: .*\n", "", text, flags=re.MULTILINE)
    assert made != text
    return made


def in_the_remote(runner: Runner, *arguments: str) -> str:
    return runner.git("--git-dir", str(runner.remote), *arguments)


def moved(runner: Runner, todoist: TodoistServer, text: str) -> tuple[str, dict[str, Any]]:
    """Sync goals, move their deadline, sync again, drag a step. Return the first commit, and how all stands then."""
    add(runner, GOALS, text)
    first = runner.git("rev-parse", "HEAD").strip()
    assert runner.happens("push", secrets=secrets(todoist)).green
    add(runner, GOALS.replace("deadline: 2027-08-15", "deadline: 2027-08-20"), text)
    assert runner.happens("push", secrets=secrets(todoist)).green
    step = next(task for task in todoist.service.tasks() if task["content"] == "Take the test")
    todoist.service.set_due(step["id"], date(2027, 8, 12))
    assert runner.happens("schedule", secrets=secrets(todoist)).green
    return first, todoist.service.state()


@pytest.mark.proof
@pytest.mark.parametrize("event", ["push", "schedule", "workflow_dispatch"])
def test_an_old_run_that_is_started_again_takes_the_newest_file(
    runner: Runner, todoist: TodoistServer, event: str
) -> None:
    first, before = moved(runner, todoist, TODOIST)
    with runner.at(first):
        done = runner.happens(event, secrets=secrets(todoist), attempt=2)
    assert done.green, done.log
    assert "in sync, nothing to do" in done.summary
    assert not done.annotations
    assert todoist.service.state() == before


@pytest.mark.proof
@pytest.mark.parametrize("attempt", [1, 2], ids=["it waited", "it is started again"])
def test_an_old_run_of_a_workflow_of_before_only_plans(runner: Runner, todoist: TodoistServer, attempt: int) -> None:
    first, before = moved(runner, todoist, earlier(TODOIST))
    with runner.at(first):
        done = runner.happens("push", secrets=secrets(todoist), attempt=attempt)
    assert done.green, done.log
    (told,) = done.annotations
    assert told.startswith("warning title=backplan::This run has an old `goals.yaml`")
    assert "open Actions > backplan, and press Run workflow" in told
    assert "to make" in done.summary
    assert todoist.service.state() == before
    pressed = runner.happens("workflow_dispatch", secrets=secrets(todoist))
    assert not pressed.annotations
    assert "in sync, nothing to do" in pressed.summary


@pytest.mark.proof
def test_a_run_that_waited_while_other_files_changed_is_not_an_old_one(runner: Runner, todoist: TodoistServer) -> None:
    add(runner, GOALS, earlier(TODOIST))
    first = runner.git("rev-parse", "HEAD").strip()
    runner.push({"todo.md": "- [ ] Something\n", "README.md": "Hello\n"})
    with runner.at(first):
        done = runner.happens("push", secrets=secrets(todoist))
    assert not done.annotations
    assert "Find a course provider" in {task["content"] for task in todoist.service.tasks()}


@pytest.mark.proof
def test_issues_of_an_old_run_take_the_newest_file(runner: Runner, github: GitHubServer) -> None:
    service, repo = github.service, github.service.repo
    token = service.workflow_token(repo, contents="read", issues="write")
    goals = GOALS.replace("todoist", f"{{github: {{repo: {repo.full_name}}}}}")
    add(runner, goals, ISSUES)
    first = runner.git("rev-parse", "HEAD").strip()
    add(runner, goals.replace("Find a course provider", "Find a course"), ISSUES)
    with runner.at(first):
        done = runner.happens("issues", action="closed", secrets={"GITHUB_TOKEN": token.text}, attempt=2)
    assert done.green, done.log
    assert {"Find a course"} == {issue.title for issue in repo.issues.values() if issue.title.startswith("Find a")}


@pytest.mark.proof
def test_the_list_of_an_old_run_follows_the_newest_file_and_is_pushed(runner: Runner) -> None:
    add(runner, FOOD_HANDLER, MARKDOWN)
    first = runner.git("rev-parse", "HEAD").strip()
    add(runner, FOOD_HANDLER.replace("deadline: 2027-08-15", "deadline: 2027-08-20"), MARKDOWN)
    newest = runner.git("rev-parse", "HEAD").strip()
    with runner.at(first):
        assert runner.happens("push", attempt=2).green
    assert "2027-08-20" in in_the_remote(runner, "show", "main:todo.md")
    assert in_the_remote(runner, "rev-parse", "main~").strip() == newest


@pytest.mark.proof
def test_a_run_that_waited_for_another_takes_the_list_that_was_pushed(runner: Runner) -> None:
    add(runner, FOOD_HANDLER, MARKDOWN)
    assert runner.happens("push").green
    pushed = in_the_remote(runner, "rev-parse", "main")
    assert runner.git("rev-parse", "HEAD") != pushed
    waited = runner.happens("schedule")
    assert waited.green, waited.log
    assert "in sync, nothing to do" in waited.summary
    assert in_the_remote(runner, "rev-parse", "main") == pushed
    runner.git("pull", "--quiet")
    before = runner.git("rev-parse", "HEAD~").strip()
    runner.push({"todo.md": (runner.repository / "todo.md").read_text("utf-8").replace("- [ ]", "- [x]", 1)})
    with runner.at(before):
        ticked = runner.happens("push")
    assert ticked.green, ticked.log
    assert "Complete my food handler certification**: done on Tue 20 Jul" in ticked.summary


@pytest.mark.proof
def test_the_list_of_a_workflow_of_before_is_left_alone_by_an_old_run(runner: Runner) -> None:
    runner.push({"README.md": "Goals\n"})
    add(runner, FOOD_HANDLER, earlier(MARKDOWN))
    first = runner.git("rev-parse", "HEAD").strip()
    add(runner, FOOD_HANDLER.replace("deadline: 2027-08-15", "deadline: 2027-08-20"), earlier(MARKDOWN))
    newest = in_the_remote(runner, "rev-parse", "main")
    with runner.at(first):
        done = runner.happens("push", attempt=2)
    assert done.green, done.log
    assert done.annotations
    assert in_the_remote(runner, "rev-parse", "main") == newest


@pytest.mark.proof
def test_a_pull_request_is_planned_with_its_own_file(runner: Runner, todoist: TodoistServer) -> None:
    add(runner, GOALS, TODOIST)
    first = runner.git("rev-parse", "HEAD").strip()
    add(runner, GOALS.replace("Find a course provider", "Find a course"), TODOIST)
    with runner.at(first):
        done = runner.happens("pull_request", secrets=secrets(todoist), **a_pull_request())
    assert done.green, done.log
    assert "next: Find a course provider" in done.summary


@pytest.mark.proof
def test_a_branch_is_not_synced(runner: Runner, todoist: TodoistServer) -> None:
    add(runner, GOALS, TODOIST)
    runner.git("switch", "--quiet", "--create", "other")
    for event in ("push", "workflow_dispatch"):
        done = runner.happens(event, secrets=secrets(todoist))
        assert done.green
        assert not done.summary.startswith("## ")
    assert not todoist.service.tasks()


@pytest.mark.proof
def test_our_own_house_runs_the_action_on_its_examples(runner: Runner, github: GitHubServer) -> None:
    number = _pull_request(github.service)
    token = github.service.workflow_token(github.service.repo, contents="read", pull_requests="write")
    shutil.copytree(runner.house, runner.repository, dirs_exist_ok=True)
    runner.push({workflow_template.PATH: (ROOT / workflow_template.PATH).read_text("utf-8")})
    synced = runner.happens("push")
    assert synced.green, synced.log
    planned = runner.happens("pull_request", secrets={"GITHUB_TOKEN": token.text}, **a_pull_request(number))
    assert planned.green, planned.log
    assert "changes to make" in planned.summary
    assert len(github.service.repo.issues[number].comments) == 1


# Whatever the repository holds


def outputs(done: Done) -> dict[str, str]:
    line = next(line for line in done.log.splitlines() if line.startswith("{") and "plan-json" in line)
    read: dict[str, str] = json.loads(line[: line.index("}") + 1])
    return read


@pytest.mark.proof
def test_outputs_are_there_for_later_steps(runner: Runner) -> None:
    add(runner, FOOD_HANDLER, MINE % "{fail-on: late}")
    found = outputs(done := runner.happens("push"))
    assert done.green, done.log
    assert found.pop("plan-json").endswith("plan.json")
    assert found.pop("report").endswith("report.md")
    counts = {"created": "7", "updated": "0", "removed": "0", "failed": "0", "late": "0"}
    assert found == {"changed": "true", **counts}
    add(runner, FOOD_HANDLER.replace("2027-08-15", "2027-07-21"), MINE % "{fail-on: late}")
    late = runner.happens("push")
    assert not late.green
    assert outputs(late)["late"] == "1"
    assert any(told.startswith("warning title=backplan,file=goals.yaml,line=") for told in late.annotations)


@pytest.mark.proof
def test_nothing_of_the_repository_is_run(runner: Runner) -> None:
    runs = "open('was-run', 'w'); raise SystemExit('the repository was run')\n"
    names = ("config", "sync/__init__", "connectors/__init__", "pip", "yaml", "sitecustomize", "scripts/environment")
    runner.push({f"{name}.py": runs for name in names} | {".envrc": runs, "pyproject.toml": "[tool.x]\n"})
    runner.env |= {"PYTHONPATH": ".", "PYTHONSTARTUP": "config.py"}
    add(runner, FOOD_HANDLER, MINE % "{command: plan}")
    done = runner.happens("push")
    assert done.green, done.log
    assert "was-run" not in done.log
    assert "7 changes to make" in done.summary


@pytest.mark.proof
def test_an_input_is_no_shell(runner: Runner) -> None:
    add(runner, FOOD_HANDLER, MINE % "{goals: '$(touch was-run)`touch was-run`', connector: '; touch was-run #'}")
    done = runner.happens("push")
    assert not done.green
    assert done.annotations
    assert "was-run\n" not in done.log


@pytest.mark.proof
def test_a_title_gives_the_runner_no_orders(runner: Runner) -> None:
    title = '"::error::owned ##[error]owned ::set-output name=late::9 <script> | %0A::error::owned"'
    goals = f"goals: [{{title: {title}, deadline: 2027-07-19}}, {{title: B, deadline: 2027-09-01}}]\n"
    add(runner, goals, MINE % "{command: plan}")
    done = runner.happens("push")
    place = f"file=goals.yaml,line=1,col={goals.index('2027-07-19') + 1}"
    assert [told.split("::")[0] for told in done.annotations] == [f"warning title=backplan,{place}"]
    assert outputs(done)["late"] == "1"
    assert "| %250A::error::owned: missed" in done.annotations[0]


@pytest.mark.proof
def test_a_repository_to_start_from_takes_in_its_first_goal_by_form(runner: Runner, github: GitHubServer) -> None:
    files = {path.relative_to(starter.FOLDER).as_posix(): path for path in starter.FOLDER.rglob("*") if path.is_file()}
    runner.push({name: path.read_text("utf-8") for name, path in files.items()})
    service, repo = github.service, github.service.repo
    token = {"GITHUB_TOKEN": service.workflow_token(repo, contents="write", issues="write").text}
    assert runner.happens("push", secrets=token).green  # makes the label
    body = "### By which day?\n\n2027-09-15\n\n### Steps\n\nGet `$(id)` wet\nDive\n\n### Template\n\n_No response_"
    issue = service.fill_in("Learn to swim ${{ github.token }}", body, goal_form.LABEL)
    labels = [{"name": label.name} for label in issue.labels]
    about = {"number": issue.number, "labels": labels}

    planned = runner.happens("workflow_dispatch", secrets=token, inputs={"plan-only": "true"})
    assert planned.green, planned.log
    assert issue.state == "open"

    done = runner.happens("issues", secrets=token, action="opened", issue=about, sender={"login": "ann"})
    assert done.green, done.log
    assert issue.state == "closed"
    assert "| Dive |" in issue.comments[-1].body
    runner.git("fetch", "--quiet")
    goals, todo = (runner.git("show", f"origin/main:{name}") for name in ("goals.yaml", "todo.md"))
    assert goals.endswith('    steps:\n      - "Get `$(id)` wet"\n      - Dive\n')
    assert "Dive" in todo
    subjects = runner.git("log", "--format=%s", "origin/main").splitlines()
    assert subjects[:2] == ["backplan: the list is up to date", "backplan: add the goal of issue #1"]
