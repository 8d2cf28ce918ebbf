"""Counts the requests that GitHub gets. Run it with `.venv/bin/python benchmarks/github.py`; it needs no account.

The service is the stand-in of the tests, over real HTTP, and does the counting; its clock moves on where backplan would
wait, so that the minutes are those that GitHub's limits make. Beside each figure stands what the same costs a program
that makes one REST call for each field of each issue, and reads a hundred issues at a time.
"""

from __future__ import annotations

import sys
import tempfile
from dataclasses import dataclass
from datetime import date, timedelta
from functools import partial
from pathlib import Path
from typing import Any

from sync.run.homes import Binding

sys.path.insert(0, str(Path(__file__).parent.parent))

import requests

from benchmarks.plans import plain_goals_file
from config import loader
from sync.run import pipeline, reading
from tests.connectors.github_account import connector
from tests.servers.github_server import GitHubServer

TODAY = date(2027, 7, 20)
DEADLINE = date(2030, 12, 30)
STEPS_A_GOAL = 100  # GitHub takes a hundred sub-issues an issue
ROW = "{:<34}{:>7}{:>9}{:>10}{:>7}{:>15}{:>10}"


def main() -> None:
    """Measure everything and print it."""
    print(ROW.format("", "runs", "reads", "writes", "min", "REST: reads", "writes"))
    with tempfile.TemporaryDirectory() as name:
        for steps in (1, 10, 100, 500):
            measure(Path(name), steps)


def measure(folder: Path, steps: int) -> None:
    """A first sync, then nothing changed, then one step changed, then a deadline moved that moves them all."""
    with GitHubServer() as server, Naive(steps) as naive:
        for what, titles, deadline, theirs in (
            (f"first sync of {steps} steps", {}, DEADLINE, naive.make),
            ("    nothing changed", {}, DEADLINE, naive.read),
            ("    one step changed", {0: "Another title"}, DEADLINE, partial(naive.write, 1)),
            (
                "    the deadlines moved",
                {0: "Another title"},
                DEADLINE + timedelta(days=7),
                partial(naive.write, steps + goals(steps)),
            ),
        ):
            ours = sync_all(folder, server, plain_goals_file(steps, titles, deadline, a_goal=STEPS_A_GOAL))
            before = len(naive.server.log)
            theirs()
            wrote = sum(entry.method != "GET" for entry in naive.server.log[before:])
            reads = len(naive.server.log) - before - wrote
            minutes = f"{ours.minutes:.1f}"
            print(ROW.format(what, ours.runs, ours.reads, ours.writes, minutes, reads, wrote))


@dataclass
class Cost:
    """What it took until there was nothing left to do: runs, requests, and minutes in which a run was at work."""

    runs: int = 0
    reads: int = 0
    writes: int = 0
    minutes: float = 0


def sync_all(folder: Path, server: GitHubServer, text: str) -> Cost:
    """Sync until nothing waits any more, an hour after another."""
    cost = Cost()
    while True:
        started, before = server.service.now, len(server.log)
        waiting = sync(folder, server, text)
        log = server.log[before:]
        cost.runs += 1
        cost.writes += sum(entry.commands > 0 for entry in log)
        cost.reads += sum(entry.commands == 0 for entry in log)
        cost.minutes += (server.service.now - started).total_seconds() / 60
        server.service.advance(timedelta(hours=1))
        for token in server.service.tokens.values():
            token.spent = 0
        if not waiting:
            return cost


def sync(folder: Path, server: GitHubServer, text: str) -> int:
    """Sync once, and return how many changes wait for the next run."""
    path = folder / "goals.yaml"
    path.write_text(text, encoding="utf-8")
    project = loader.load(path)
    homes = (Binding(connector(server, project.namespace), frozenset(goal.id for goal in project.goals)),)
    plans = pipeline.make_plans(reading.read(project, homes, TODAY))
    (applied,) = pipeline.apply(plans, homes, lambda _: None)
    if errors := [change.error for change in applied.changes if change.error]:
        sys.exit(f"{len(errors)} changes failed: {errors[0]}")
    return sum(change.status == "skipped" for change in applied.writes)


def goals(steps: int) -> int:
    """Return how many goals that many steps make."""
    return -(-steps // STEPS_A_GOAL)


class Naive:
    """A program that makes one REST call for each field of each issue, with a service of its own and no limits."""

    def __init__(self, steps: int) -> None:
        self.server = GitHubServer()
        self.server.service.a_minute = self.server.service.an_hour = 1_000_000
        self.server.service.tokens[self.server.service.token].limit = 1_000_000
        self._http = requests.Session()
        self._http.headers["Authorization"] = f"Bearer {self.server.service.token}"
        self._steps = steps

    def __enter__(self) -> Naive:
        self.server.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._http.close()
        self.server.stop()

    def make(self) -> None:
        """Look for the issues, then make goals and steps: title, body with its date, label, and place."""
        self.read()
        for number in range(self._steps):
            if number % STEPS_A_GOAL == 0:
                goal = self._make(f"Goal {number}")
            step = self._make(f"Step {number}")
            self._send("POST", f"issues/{goal['number']}/sub_issues", {"sub_issue_id": step["id"]})

    def read(self) -> None:
        """Read all issues, a hundred at a time."""
        url: str | None = f"{self.server.base}/repos/ann/goals/issues?state=all&per_page=100"
        while url:
            response = self._http.get(url)
            url = response.links.get("next", {}).get("url")

    def write(self, number: int) -> None:
        """Read, and change one field of that many issues."""
        self.read()
        for issue in range(1, number + 1):
            self._send("PATCH", f"issues/{issue}", {"body": "Due some other day"})

    def _make(self, title: str) -> dict[str, Any]:
        issue = self._send("POST", "issues", {"title": title})
        self._send("PATCH", f"issues/{issue['number']}", {"body": "Due some day"})
        self._send("PATCH", f"issues/{issue['number']}", {"labels": ["backplan"]})
        return issue

    def _send(self, method: str, path: str, body: dict[str, Any]) -> dict[str, Any]:
        response = self._http.request(method, f"{self.server.base}/repos/ann/goals/{path}", json=body)
        response.raise_for_status()
        answer: dict[str, Any] = response.json()
        return answer


if __name__ == "__main__":
    main()
