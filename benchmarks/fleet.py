"""What an account of a fleet costs: processor time and accounts a second, against many Todoist accounts on loopback.

    .venv/bin/python benchmarks/fleet.py [ACCOUNTS ...]
    .venv/bin/python benchmarks/fleet.py check [ACCOUNTS ...]

The stand-in is a process of its own, and its time is not counted. `check` reads accounts files of both kinds, and plans
every account, without an app; its memory is the most that the process has had so far.
"""

from __future__ import annotations

import multiprocessing
import os
import sys
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path
from resource import RUSAGE_SELF, getrusage
from typing import TYPE_CHECKING, Any

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT))

from sync.fleet import accounts
from sync.fleet.local import Engine
from sync.fleet.plans import project_of
from sync.fleet.run_account import Settings
from tests.servers.accounts import Accounts

if TYPE_CHECKING:
    from collections.abc import Iterator

TEMPLATE = """inputs: {name: text, exam: date}
goals:
  - id: card
    title: "Card of {name}"
    deadline: "{exam}"
    steps: [Sign up, Read, Learn, Rehearse, "Sit the exam of {name}", Celebrate]
"""
FLEET = """namespace: coaching
defaults: {template: card.yaml, sync: [{todoist: {project: Coaching}}], secret: "file:secrets/{id}"}
accounts: [{from: people.csv}]
"""


def _serve(tokens: dict[str, str], pipe: Any) -> None:
    with Accounts(tokens) as server:
        pipe.send(server.url)
        pipe.recv()


@contextmanager
def _served(tokens: dict[str, str]) -> Iterator[str]:
    ours, theirs = multiprocessing.Pipe()
    process = multiprocessing.get_context("spawn").Process(target=_serve, args=(tokens, theirs))
    process.start()
    yield ours.recv()
    ours.send("stop")
    process.join()


def measure(count: int) -> None:
    """Print what a first sync and a second one take."""
    names = [f"p{number}" for number in range(count)]
    tokens = {name: f"the-token-of-{name}-alone" for name in names}
    with tempfile.TemporaryDirectory() as scratch, _served(tokens) as url:
        folder = Path(scratch)
        (folder / "secrets").mkdir()
        for name, token in tokens.items():
            (folder / "secrets" / name).write_text(token, encoding="utf-8")
        (folder / "card.yaml").write_text(TEMPLATE, encoding="utf-8")
        rows = "".join(f"{name},{name.upper()},2027-09-30\n" for name in names)
        (folder / "people.csv").write_text(f"id,name,exam\n{rows}", encoding="utf-8")
        (folder / "accounts.yaml").write_text(FLEET, encoding="utf-8")
        os.environ["TODOIST_API_URL"] = url
        for what in ("first sync", "nothing changed"):
            began, used = time.monotonic(), time.process_time()
            fleet = accounts.load(folder / "accounts.yaml")
            results = Engine(Settings(folder), 16, lambda _: None).run_all(fleet.accounts)
            took, cost = time.monotonic() - began, time.process_time() - used
            failed = sum(result.status != "synced" for result in results)
            print(
                f"{count:>7,} accounts, {what:15}  {cost / count * 1000:6.1f} ms of processor time each  "
                f"{count / took:6.0f} a second  {failed} failed"
            )


def measure_check(count: int) -> None:
    """Print what `fleet check` takes with a table, and with as many entries in YAML."""
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        (folder / "card.yaml").write_text(TEMPLATE, encoding="utf-8")
        rows = "".join(f"p{number},P{number},2027-09-30\n" for number in range(count))
        (folder / "people.csv").write_text(f"id,name,exam\n{rows}", encoding="utf-8")
        (folder / "table.yaml").write_text(FLEET, encoding="utf-8")
        one = "  - {{id: p{0}, with: {{name: P{0}, exam: 2027-09-30}}}}\n"
        entries = "accounts:\n" + "".join(one.format(number) for number in range(count))
        (folder / "yaml.yaml").write_text(FLEET.partition("accounts:")[0] + entries, encoding="utf-8")
        for what in ("table", "yaml"):
            began = time.process_time()
            fleet = accounts.load(folder / f"{what}.yaml")
            read = time.process_time() - began
            for account in fleet.accounts:
                project_of(account, folder)
            used, memory = time.process_time() - began, getrusage(RUSAGE_SELF).ru_maxrss / 1024
            print(f"{count:>7,} accounts, {what:5}  {read:5.1f} s to read, {used:5.1f} s to check, {memory:5.0f} MB")


if __name__ == "__main__":
    checks = sys.argv[1:2] == ["check"]
    for number in map(int, sys.argv[1 + checks :] or ("100", "1000")):
        (measure_check if checks else measure)(number)
