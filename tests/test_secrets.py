"""No secret ever appears: a connector that leaks its own in every way it can, and every command with every output."""

from __future__ import annotations

import json
import os
from base64 import b64encode
from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.redaction import secret_settings
from sync.cli.app import main
from tests import processes
from tests.conftest import ROOT

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

# With everything in them that some format escapes, and parts to tell them by when a report breaks or cuts them.
TOKEN = "kanarie" + "_" + "|<&\"'\\/#{é" + "songbird"
PASSWORD = "nightjar" + "*" + "whitethroat"
PARTS = ("kanar", "songb", "night", "throat", "ightj", "whitet")
BASIC = b64encode(f"me:{TOKEN}".encode()).decode()

LEAKY = """
import logging, os, sys, threading, warnings
from base64 import b64encode
from datetime import date
from pathlib import Path

from config.errors import BackplanError, CredentialsError
from connectors.base import WriteResult, Capabilities, Requests
from connectors.model import Content, StoredGoal, Marker, StoredKey, Snapshot, Task, digest

TOKEN, MODE = os.environ["LEAKY_API_TOKEN"], os.environ["LEAKY_MODE"]
ALL = TOKEN + " and " + Path(os.environ["LEAKY_PASSWORD_FILE"]).read_text()
logging.basicConfig(level=logging.DEBUG)


class Leaky:
    name = "leaky"
    capabilities = Capabilities(frozenset({"title", "due", "notes"}), reliability="safe")

    def __init__(self, namespace):
        self.label, self.identity, self.requests = f"leaky ({ALL})", ALL, Requests()
        self._namespace = namespace

    @classmethod
    def configure(cls, options, namespace, environment):
        if MODE == "configure":
            raise CredentialsError(f"leaky: {ALL} is wrong")
        return cls(namespace)

    def canonical(self, content):
        return Content(content.title, content.due, content.notes)

    def read(self):
        warnings.warn(f"in a warning: {ALL}", stacklevel=1)
        logging.getLogger("http").debug("send: %r", {"Authorization": "Bearer " + TOKEN, "body": ALL})
        logging.debug("Authorization: Basic %s", b64encode(f"me:{TOKEN}".encode()).decode())
        thread = threading.Thread(target=lambda: 1 / len(ALL[:0]), name=ALL)
        thread.start()
        thread.join()
        if MODE == "read":
            raise BackplanError(f"{self.label}: the answer was {ALL}\\n::error::{ALL}")
        if MODE == "crash":
            raise RuntimeError(ALL) from ValueError({ALL: [ALL]})
        tasks = tuple(self._task(key) for key in ("g", "g/one", f"g/{TOKEN}"))
        keys = {task.marker.key: StoredKey("live", task.native_id) for task in tasks}
        memory = {"g": StoredGoal(date(2027, 7, 1), {**keys, "g/two": StoredKey("pending", ALL)})}
        return Snapshot(tasks, tasks[1:2], memory, others={TOKEN: frozenset({TOKEN})})

    def _task(self, key):
        content = Content(f"{key}: {ALL}", date(2027, 8, 1), f"{ALL}\\n\\n{ALL}")
        applied = {"title": digest(content.title), "notes": digest(content.notes), "timing": ""}
        marker = Marker(self._namespace, key, key + TOKEN, due=content.due, applied=applied)
        return Task(f"{key} {ALL}", content, marker)

    def apply(self, batch):
        if MODE == "apply":
            raise BackplanError(f"{self.label}: the answer was {ALL}")
        if MODE == "refuse":
            return [WriteResult(error=f"400: {ALL}") for _ in batch]
        if MODE == "crash in apply":
            raise RuntimeError(ALL)
        return [WriteResult(f"{number} {ALL}") for number, _ in enumerate(batch)]
"""

GOALS = """namespace: me/goals
sync: [leaky, markdown]
goals:
  - id: g
    title: Reach it
    deadline: 2027-09-01
    steps:
      - {id: one, title: Begin, takes: 3 days, notes: "Some words"}
      - {id: two, title: Go on, takes: 2 days}
"""

FAILURES = ("configure", "read", "crash", "apply", "refuse", "crash in apply")


@dataclass(frozen=True)
class Use:
    """One way to call a command. `may_fail`: it is tried with all that can go wrong in an app, too."""

    arguments: tuple[str, ...] = ()
    may_fail: bool = False


def use(*arguments: str, may_fail: bool = False) -> Use:
    return Use(arguments, may_fail)


USES = {
    "add": (use("--title", "Other", "--deadline", "2027-09-01", "--step", TOKEN, "--dry-run", may_fail=True),),
    "check": (use(may_fail=True), use("--json"), use("--write-ids")),
    "completion": (use("bash"),),
    "connect": (use("leaky"), use("todoist", "--json")),
    "connectors": (use(), use("--json")),
    "doctor": (use(), use("--json", may_fail=True)),
    "explain": (use("g/one"), use("g", "--json")),
    "fleet": (use("check", may_fail=True), use("plan", "--json", may_fail=True)),
    "fit": (use("g", "--progress", may_fail=True), use("g", "--json")),
    "init": (
        use("--template", "list"),
        use("--goals", "new.yaml", "--title", TOKEN, "--deadline", "2027-09-01", "--json"),
    ),
    "move": (use("g", "2027-09-02", "--dry-run"), use("g", "2027-09-03", "--json")),
    # It ends here before it serves, with the plan read and made.
    "open": (use("--progress", "--no-browser", "--goal", "no-such-goal", may_fail=True),),
    "page": (use("site", "--progress", may_fail=True), use("site", "--json", "--ics-tasks", "--ics-alarms")),
    "plan": (use("-v"), use("--json", may_fail=True), use("--markdown"), use("--rebuild", "--allow-mass-change")),
    "schedule": (
        use("--progress", "--html", "a.html", "--svg", "a.svg", "--ics", "a.ics", may_fail=True),
        use("--progress", "--markdown"),
        use("--json", "--deadline", "g=2027-10-01", "--risk"),
    ),
    "schema": (use(),),
    "status": (use(may_fail=True), use("--json")),
    "sync": (
        use("--markdown", "--journal", "run.json"),
        use("--json", may_fail=True),
        use("-v", may_fail=True),
    ),
    "today": (use(may_fail=True), use("--json", "--days", "3"), use("--markdown")),
    "undo": (use("journal.json", "--yes", "--json"), use("nothing.json")),
    "week": (use("--json"), use("--markdown")),
}


class Leak:
    """A folder with a goals file, and the connector installed where only this test's processes find it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "plan"
        self.folder.mkdir()
        self.site = folder / "site"
        info = self.site / "leaky-1.0.dist-info"
        info.mkdir(parents=True)
        (self.site / "leaky.py").write_text(LEAKY, encoding="utf-8")
        (info / "METADATA").write_text("Metadata-Version: 2.1\nName: leaky\nVersion: 1.0\n", encoding="utf-8")
        (info / "entry_points.txt").write_text("[backplan.connectors]\nleaky = leaky:Leaky\n", encoding="utf-8")
        self.password = folder / "password"
        self.password.write_text(PASSWORD + "\n", encoding="utf-8")
        self.write(GOALS)

    def write(self, goals: str) -> None:
        (self.folder / "goals.yaml").write_text(goals, encoding="utf-8")

    def run(self, *arguments: str, mode: str = "answer") -> str:
        """Run a command and return all that it printed."""
        environment = {key: value for key, value in os.environ.items() if not key.startswith(("BACKPLAN_", "GITHUB_"))}
        environment |= {
            "PYTHONPATH": f"{ROOT}{os.pathsep}{self.site}",
            "PYTHONUTF8": "1",
            "PYTHONWARNINGS": "always",
            "BACKPLAN_TODAY": "2027-07-20",
            "LEAKY_API_TOKEN": TOKEN,
            "LEAKY_PASSWORD_FILE": str(self.password),
            "LEAKY_MODE": mode,
        }
        done = processes.run(arguments, self.folder, environment)
        return (done.out + done.err).decode()

    @property
    def files(self) -> str:
        """Everything that stands in the folder, and how it is called."""
        files = [path for path in self.folder.rglob("*") if path.is_file()]
        return "".join(f"{path.name}\n{path.read_bytes().decode()}" for path in files)


@pytest.fixture
def leak(tmp_path: Path) -> Leak:
    return Leak(tmp_path)


def leaked(text: str) -> list[str]:
    """Return the parts of secrets in a text, also where it breaks its lines."""
    joined = "".join(text.split()).lower()
    return [part for part in (*PARTS, BASIC[:12].lower(), BASIC[-16:-4].lower()) if part in joined]


def test_every_command_has_a_row() -> None:
    """A new command is tried as soon as its arguments are written here."""
    assert sorted(USES) == sorted(main.commands)


@pytest.mark.parametrize("command", USES)
def test_nothing_that_a_command_prints_or_writes_holds_a_secret(leak: Leak, command: str) -> None:
    if command == "undo":
        leak.run("sync", "--journal", "journal.json")
    fleet = leak.folder / "accounts.yaml"
    if command == "fleet":
        fleet.write_text(f"accounts: [{{id: ann, goals: goals.yaml, secret: '{PASSWORD}'}}]", encoding="utf-8")
    for each in USES[command]:
        printed = leak.run(command, *each.arguments)
        assert leaked(printed) == [], (each, printed)
    fleet.unlink(missing_ok=True)
    # What a person said on the command line is theirs: `init` writes it.
    (leak.folder / "new.yaml").unlink(missing_ok=True)
    assert leaked(leak.files) == []


@pytest.mark.parametrize("mode", FAILURES)
def test_no_error_holds_a_secret(leak: Leak, mode: str) -> None:
    for command, uses in USES.items():
        for each in uses:
            if each.may_fail:
                printed = leak.run(command, *each.arguments, mode=mode)
                assert leaked(printed) == [], (command, each, printed)
    assert leaked(leak.files) == []


def test_the_connector_does_leak(leak: Leak) -> None:
    """Else all of this would prove nothing."""
    crashed = leak.run("sync", "-v", mode="crash")
    assert "Traceback" in crashed
    assert "RuntimeError: (hidden)" in crashed
    assert "Authorization: Basic (hidden)" in crashed
    assert "UserWarning: in a warning: (hidden)" in crashed
    assert "(hidden) and (hidden)" in leak.run("plan", "--json")
    assert "the answer was (hidden) and (hidden)" in leak.run("status", mode="read")
    assert "400: (hidden)" in leak.run("sync", "--json", mode="refuse")


@pytest.mark.parametrize(
    "goals",
    [
        f"goals: [{{title: x, deadline: 'soon, or so, or else at some time or other, {PASSWORD}'}}]",
        f"goals: [{{title: x, deadline: 2027-09-01, {PASSWORD}: 1}}]",
        f"sync: ['{PASSWORD}']\ngoals: [{{title: x, deadline: 2027-09-01}}]",
        f"sync: [{{markdown: {{file: '{PASSWORD}/x.md'}}}}]\ngoals: [{{title: x, deadline: 2027-09-01}}]",
        f"goals: [{{title: x, deadline: 2027-09-01, template: '{PASSWORD}'}}]",
    ],
)
def test_a_secret_in_the_goals_file_is_not_repeated(leak: Leak, goals: str) -> None:
    leak.write(goals)
    for arguments in (("check", "--json"), ("plan", "--markdown")):
        assert leaked(leak.run(*arguments)) == []


def test_a_secret_in_a_title_is_in_no_report(leak: Leak) -> None:
    steps = f"[{{id: s, title: 'x {PASSWORD}', notes: '{PASSWORD}'}}]"
    leak.write(f"goals: [{{id: g, title: '{PASSWORD}', why: '{PASSWORD}', deadline: 2027-09-01, steps: {steps}}}]")
    reports = ("--html", "a.html", "--svg", "a.svg", "--ics", "a.ics")
    for arguments in (("schedule", *reports), ("schedule", "--markdown"), ("explain", "g/s"), ("status",), ("plan",)):
        assert leaked(leak.run(*arguments)) == []
    written = [path.read_text("utf-8") for path in leak.folder.glob("a.*")]
    assert len(written) == 3
    assert leaked("".join(written)) == []


# Which settings are secret


@pytest.mark.parametrize(
    "name", ["TODOIST_API_TOKEN", "GITHUB_TOKEN", "CALDAV_PASSWORD", "CLIENT_SECRET", "API_KEY", "my_token", "A_B_KEY"]
)
def test_the_value_of_a_secret_setting_is_found(name: str) -> None:
    assert _hidden({name: "correct horse"}, "a correct horse!") == "a (hidden)!"


def test_the_content_of_a_named_file_is_found(tmp_path: Path) -> None:
    file = tmp_path / "secret"
    file.write_text("the first line\n\nand the second\n", encoding="utf-8")
    assert _hidden({"CALDAV_PASSWORD_FILE": str(file)}, "the first line, and the second.") == "(hidden), (hidden)."
    for name in ("nowhere", "", "."):
        assert secret_settings({"CALDAV_PASSWORD_FILE": str(tmp_path / name)}) is None
    assert secret_settings({"CALDAV_PASSWORD_FILE": "\0"}) is None


@pytest.mark.parametrize(
    ("name", "value"),
    [("CALDAV_USERNAME", "somebody"), ("API_TOKEN", "short"), ("MONKEY", "bananas!"), ("TOKEN_URL", "https://x.org")],
)
def test_other_settings_may_be_said(name: str, value: str) -> None:
    assert secret_settings({name: value}) is None


WRITTEN = (
    str,
    repr,
    escape,
    quote_plus,
    json.dumps,
    lambda text: quote(text, safe=""),
    lambda text: json.dumps(json.dumps(text, ensure_ascii=False)),
    lambda text: json.dumps([text], ensure_ascii=False).replace("<", "\\u003c"),
)


@given(st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=8, max_size=40), st.sampled_from(WRITTEN))
def test_no_secret_survives_however_it_is_written(secret: str, written: Callable[[str], str]) -> None:
    for line in map(str.strip, secret.splitlines()):
        inside = written(line)[1:-1]  # without the quotes that some put around it
        if len(line) >= 8 and inside not in "around (hidden) around":
            assert inside not in _hidden({"A_TOKEN": secret}, written(f"around {line} around"))


def _hidden(environment: dict[str, str], text: str) -> str:
    found = secret_settings(environment)
    assert found is not None
    return found.sub("(hidden)", text)
