"""A fleet over HTTP: faults, kills and mistakes in some accounts, and nothing lost or there twice in any."""

from __future__ import annotations

import json
import os
import random
import signal
import socket
import subprocess
import sys
import time
from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest

from config.errors import GoalsFileError
from sync.fleet import accounts
from sync.fleet.local import Shard
from sync.fleet.plans import project_of
from sync.fleet.run_account import Settings, run_account
from tests import tiers
from tests.conftest import ROOT
from tests.servers.accounts import Accounts
from tests.servers.http import Fault

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.conftest import Done, Person

COUNT = 24
TEMPLATE = """inputs: {name: text, exam: date}
goals:
  - title: "Card of {name}"
    id: card
    deadline: "{exam}"
    steps: [Sign up, Learn, "Sit the exam of {name}"]
"""
HEAD = """version: 1
namespace: coaching
defaults: {template: card.yaml, sync: [{todoist: {project: Coaching}}], secret: "file:secrets/{id}"}
accounts:
"""


def names(count: int = COUNT) -> list[str]:
    return [f"p{number}" for number in range(count)]


def token_of(name: str) -> str:
    return f"the-token-of-{name}-alone"


class Coach:
    """Somebody with an accounts file, and people whose accounts are at a server."""

    def __init__(self, person: Person, server: Accounts) -> None:
        self.person, self.server, self.people = person, server, [*map(str, server.people)]
        person.writes(TEMPLATE, "card.yaml")
        self.writes([f"{{id: {name}, with: {{name: {name.upper()}, exam: 2027-09-30}}}}" for name in self.people])
        for name in self.people:
            person.writes(token_of(name), f"secrets/{name}")

    def writes(self, entries: list[str]) -> None:
        self.person.writes(HEAD + "".join(f"  - {entry}\n" for entry in entries), "accounts.yaml")

    def fleet(self, *arguments: str) -> Done:
        return self.person.run("fleet", *arguments, env={"TODOIST_API_URL": self.server.url})

    def titles(self, name: str) -> list[str]:
        return self.server.titles(token_of(name))

    def all_well(self, *left_out: str) -> None:
        """Each account has its own tasks, each once, and nobody else's."""
        for name in self.people:
            ours = [title for title in self.titles(name) if not title.startswith("backplan")]
            own = ["Learn", f"Card of {name.upper()}", "Sign up", f"Sit the exam of {name.upper()}", "Buy milk"]
            assert sorted(ours) == sorted(["Buy milk"] if name in left_out else own), name


@pytest.fixture
def coach(person: Person) -> Iterator[Coach]:
    with Accounts({name: token_of(name) for name in names()}) as server:
        for account in server.by_token.values():
            account.service.add_task("Buy milk")
        yield Coach(person, server)


def test_everybody_gets_their_own_tasks_and_the_next_run_has_nothing_to_do(coach: Coach) -> None:
    done = coach.fleet("run", "--json", "--report", "run.jsonl")
    assert done.code == 0, done.err
    assert done.json["counts"] == {"on-track": COUNT}
    coach.all_well()
    again = coach.fleet("run", "--json")
    assert again.json["changes"] == {}
    assert "the-token-of" not in done.out + done.err + (coach.person.folder / "run.jsonl").read_text("utf-8")
    before = coach.server.count()
    assert coach.fleet("run", "--resume", "--report", "run.jsonl", "--json").json["accounts"] == 0
    assert coach.server.count() == before


def test_what_goes_wrong_in_some_accounts_stays_there(coach: Coach) -> None:
    """A wrong token, a missing secret, an unknown input, and a service that closes connections and says 429."""
    chance = random.Random(27)  # noqa: S311
    faults = [Fault.LOST, Fault.NOT_SENT, Fault.RATE_LIMITED, Fault.BAD_GATEWAY_APPLIED]
    coach.server.faults.retry_after = 0
    coach.server.faults.judge(lambda *_: chance.choice(faults) if chance.random() < 0.05 else None)
    coach.person.writes("a-token-that-nobody-has-issued", "secrets/p1")
    (coach.person.folder / "secrets" / "p2").unlink()
    entries = [f"{{id: {name}, with: {{name: {name.upper()}, exam: 2027-09-30}}}}" for name in coach.people]
    entries[3] = "{id: p3, with: {name: P3, exam: 2027-09-30, town: Porto}}"
    coach.writes(entries)
    done = coach.fleet("run", "--json")
    assert done.code == 1
    failed = {result["id"]: result["error"] for result in done.json["results"] if result["status"] == "failed"}
    assert failed.keys() == {"p1", "p2", "p3"}, failed
    assert "TODOIST_API_TOKEN" in failed["p1"]
    assert "secrets/p2" in failed["p2"]
    assert failed["p3"].startswith("accounts.yaml:8:14: the template has no input `town`")
    assert "nobody-has-issued" not in done.out + done.err
    coach.server.faults.clear()
    coach.all_well("p1", "p2", "p3")


def test_a_broken_template_takes_tasks_from_nobody(coach: Coach) -> None:
    assert coach.fleet("run").code == 0
    coach.person.writes(TEMPLATE.replace(", Learn", ""), "card.yaml")
    refused = coach.fleet("run")
    assert refused.code == 3
    assert f"{COUNT} of {COUNT} accounts would lose open tasks" in refused.err
    coach.all_well()
    assert coach.fleet("run", "--allow-mass-change").code == 0
    assert all("Learn" not in coach.titles(name) for name in coach.people)


def test_a_few_accounts_may_lose_tasks(coach: Coach) -> None:
    assert coach.fleet("run").code == 0
    own = TEMPLATE.partition("\n")[2].replace("{name}", "P0").replace("{exam}", "2027-09-30").replace(", Learn", "")
    coach.person.writes(own, "own.yaml")
    entries = [f"{{id: {name}, with: {{name: {name.upper()}, exam: 2027-09-30}}}}" for name in coach.people]
    coach.writes([entries[0].replace("id: p0", "id: p0, goals: own.yaml"), *entries[1:]])
    assert coach.fleet("run").code == 0
    assert "Learn" not in coach.titles("p0")
    assert all("Learn" in coach.titles(name) for name in coach.people[1:])


def test_the_canary_stops_the_others(coach: Coach) -> None:
    coach.person.writes("a-token-that-nobody-has-issued", "secrets/p0")
    done = coach.fleet("run", "--canary", "2")
    assert done.code == 1
    assert f"p0 failed, so the {COUNT - 2} other accounts were not tried" in done.err
    coach.all_well("p0", *coach.people[2:])


def test_shards_share_the_accounts_out(coach: Coach) -> None:
    parts = [Shard(number, 3) for number in (1, 2, 3)]
    assert all(sum(part.holds(name) for part in parts) == 1 for name in names(1000))
    for number in (1, 2, 3):
        assert coach.fleet("run", "--shard", f"{number}/3").code == 0
    coach.all_well()


def test_a_service_that_is_down_is_not_asked_by_everybody(coach: Coach) -> None:
    done = coach.person.run("fleet", "run", "--jobs", "2", "--json", env={"TODOIST_API_URL": "http://127.0.0.1:9"})
    assert done.code == 1
    said = Counter("not tried" in result["error"] for result in done.json["results"])
    assert said[True] >= COUNT - 12


def test_an_account_whose_app_is_mute_ends_with_its_time(coach: Coach, monkeypatch: pytest.MonkeyPatch) -> None:
    """The time-out of an answer is 30 seconds; an account may have less."""
    monkeypatch.chdir(coach.person.folder)
    fleet = accounts.load(None)
    with socket.create_server(("127.0.0.1", 0)) as mute:
        monkeypatch.setenv("TODOIST_API_URL", f"http://127.0.0.1:{mute.getsockname()[1]}")
        result = run_account(fleet.accounts[0], Settings(fleet.folder, budget=0.2))
    assert result.status == "failed"
    assert "no answer in time" in result.error
    assert result.unreachable
    assert result.seconds < 5


@pytest.mark.proof
def test_a_run_that_is_killed_is_taken_up_again(coach: Coach) -> None:
    chance = random.Random(9)  # noqa: S311
    command = [sys.executable, "-P", "-m", "sync.cli.main", "fleet", "run", "--resume", "--report", "run.jsonl"]
    env = {**os.environ, "PYTHONPATH": str(ROOT), "BACKPLAN_TODAY": "2027-07-20", "TODOIST_API_URL": coach.server.url}
    for _ in range(2 if tiers.quick else 8):
        process = subprocess.Popen(
            [*command, "--jobs", "4"],
            cwd=coach.person.folder,
            env=env,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        time.sleep(chance.uniform(0.8, 2.0))
        process.send_signal(signal.SIGKILL)
        process.wait()
    last = coach.fleet("run", "--resume", "--report", "run.jsonl")
    assert last.code == 0, last.err
    coach.all_well()
    results = [json.loads(line) for line in (coach.person.folder / "run.jsonl").read_text("utf-8").splitlines()]
    assert {result["id"] for result in results} == set(coach.people)


# Mistakes

GOOD = "{id: a, with: {name: A, exam: 2027-09-30}}"


@pytest.mark.parametrize(
    ("entry", "said"),
    [
        ("{id: a}", "accounts.yaml:5:5: the input `name` is missing; write name: Porto"),
        ("{id: a, with: {name: A, exam: soon}}", "accounts.yaml:5:13: `exam`: expected a date such as 2027-08-15"),
        ("{id: a, with: {name: A, exam: 2027-02-30}}", "`exam`: expected a date such as 2027-08-15"),
        (f"{GOOD[:-1]}, secret: 12345678}}", "accounts.yaml:5:48: `secret`: expected env:NAME"),
        (f"{GOOD[:-1]}, secret: my-own-password}}", "a secret itself never stands here"),
        (f"{GOOD}\n  - {GOOD}", "accounts.yaml:6:6: the id `a` is taken at accounts.yaml:5:5"),
        ("{id: a, template: crad}", "accounts.yaml:5:13: no template has the name `crad`"),
        (f"{GOOD[:-1]}, goals: nobody.yaml}}", "nobody.yaml: cannot be read: No such file or directory"),
        ("{id: a, wth: {name: A}}", "accounts.yaml:5:13: the key `wth` is not known here"),
        ("{id: 7}", "accounts.yaml:5:6: `id`: expected text"),
        ("{from: people.csv}", "accounts.yaml:5:6: people.csv: cannot be read: No such file or directory"),
        ("{from: rows.csv}", "rows.csv:1:1: the column `id` is missing; there is name, exam"),
        ("{from: few.csv}", "few.csv:3:1: expected 3 columns, as in the first line"),
        ("{from: wrong.csv}", "wrong.csv:2:1: `exam`: expected a date such as 2027-08-15"),
        ("{from: token.csv}", "token.csv:2:1: this looks like a secret token"),
    ],
)
def test_a_mistake_is_told_with_its_place(
    entry: str, said: str, person: Person, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    person.writes(TEMPLATE, "card.yaml")
    person.writes("name,exam\nA,2027-09-30\n", "rows.csv")
    person.writes("id,name,exam\na,A,2027-09-30\nb,B\n", "few.csv")
    person.writes("\ufeffid;name;exam\na;A;30/09/27x\n", "wrong.csv")
    person.writes(f"id,name,exam\na,{'0123456789' * 4},2027-09-30\n", "token.csv")
    person.writes(f"{HEAD}  - {entry}\n", "accounts.yaml")
    monkeypatch.chdir(tmp_path)
    assert said in _problems()


def _problems() -> str:
    project_of.__globals__["_read"].cache_clear()
    try:
        fleet = accounts.load(None)
        for account in fleet.accounts:
            project_of(account, fleet.folder)
    except GoalsFileError as error:
        return str(error)
    return "\n".join(map(str, fleet.problems))


@pytest.mark.parametrize("name", ['"x: {drop: true}"', "'{exam}'", "'- id: evil'", "'::set-output name=x::y'", "'<b>'"])
def test_a_value_never_becomes_a_key(
    name: str, person: Person, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    person.writes(TEMPLATE, "card.yaml")
    person.writes(f"{HEAD}  - {{id: a, with: {{name: {name}, exam: 2027-09-30}}}}\n", "accounts.yaml")
    monkeypatch.chdir(tmp_path)
    fleet = accounts.load(None)
    project: Any = project_of(fleet.accounts[0], fleet.folder)
    (goal,) = project.goals
    assert goal.title == f"Card of {name[1:-1]}"
    assert [step.id for step in goal.steps][:2] == ["sign-up", "learn"]
    assert project.namespace == "coaching/a"
