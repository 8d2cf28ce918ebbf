"""Measures the action: `.venv/bin/python benchmarks/action.py`. On Linux; an empty cache needs a network, for packages.

A run is one of the workflow for Todoist as people copy it, from the checkout to the summary, in act on this machine and
against a Todoist and a GitHub on it: without the time that GitHub takes to find a runner, and to send and fetch the
cache. The summary is that of a first run, in which every task is new.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tarfile
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))

from benchmarks.plans import goals_file
from sync.cli import workflow_template
from sync.reports.summary import LIMIT
from tests.action.runner import Runner, checked_out
from tests.conftest import FOOD_HANDLER
from tests.servers.github import GitHub
from tests.servers.github_server import GitHubServer
from tests.servers.todoist import PRO, Todoist
from tests.servers.todoist_server import TodoistServer

PYTHON = Path(sys.base_prefix) / "bin" / "python3"  # one with pip, as GitHub's has
STEPS = 5  # of each goal
WARM_RUNS = 3


def main() -> None:
    """Measure everything and print it."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        runs(folder)
        for goals in (1, 100, 1000):
            summary(folder, goals)


def runs(folder: Path) -> None:
    """How long a run takes, with an empty cache and with a full one."""
    cache = folder / "cache"
    cache.mkdir()
    runner = Runner(folder / "runner", checked_out(folder / "house"), cache)
    with TodoistServer(Todoist(PRO)) as server, GitHubServer(GitHub()) as github:
        repo = github.service.repo
        repo.git, runner.token = runner.remote, github.service.workflow_token(repo, contents="read").text
        runner.env |= {"TODOIST_API_URL": server.url, "GITHUB_API_URL": github.url, "STANDIN_PYTHON": str(PYTHON)}
        goals = f"namespace: me/goals\nsync: [todoist]\n{FOOD_HANDLER}"
        runner.push({"goals.yaml": goals, workflow_template.PATH: workflow_template.text("goals.yaml", ["todoist"])})
        token = {"TODOIST_API_TOKEN": server.service.owner.token}
        print(f"a run with an empty cache            {seconds(runner, token):8.1f} s")
        print(f"a run with a full cache              {min(seconds(runner, token) for _ in range(WARM_RUNS)):8.1f} s")
    (environment,) = cache.iterdir()
    packed = folder / "cache.tar.gz"
    with tarfile.open(packed, "w:gz") as archive:
        archive.add(environment, "environment")
    size = sum(file.stat().st_size for file in environment.rglob("*") if file.is_file() and not file.is_symlink())
    print(f"what the cache holds                 {size / 1e6:8.1f} MB, {packed.stat().st_size / 1e6:.1f} MB packed")


def seconds(runner: Runner, token: dict[str, str]) -> float:
    """Return how long a green run takes."""
    began = time.perf_counter()
    done = runner.happens("schedule", secrets=token)
    took = time.perf_counter() - began
    if not done.green:
        sys.exit(done.log)
    return took


def summary(folder: Path, goals: int) -> None:
    """How long the summary of a first run is, and how long the run takes, the start of Python included."""
    place = folder / str(goals)
    place.mkdir()
    (place / "goals.yaml").write_text(goals_file(goals, STEPS), "utf-8")
    shown = place / "summary.md"
    said = {"GITHUB_STEP_SUMMARY": str(shown), "RUNNER_TEMP": str(place), "BACKPLAN_TODAY": "2031-01-06"}
    began = time.perf_counter()
    command = [sys.executable, "-m", "sync.action.main"]
    subprocess.run(
        command, cwd=place, env={**os.environ, **said, "PYTHONPATH": str(Path(__file__).parent.parent)},
        stdout=subprocess.DEVNULL, check=True,
    )  # fmt: skip
    took = time.perf_counter() - began
    size = shown.stat().st_size
    lines = shown.read_text("utf-8").splitlines()
    left_out = " ".join(line.strip("*") for line in lines if "would not fit here" in line or "leaves out" in line)
    tasks = goals * (STEPS + 1)
    print(f"summary of {goals:4} goals, {tasks:4} tasks  {size:9} bytes of {LIMIT}, {took:.1f} s. {left_out}")


if __name__ == "__main__":
    main()
