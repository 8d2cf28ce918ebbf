"""What all tests share: a person at a command line, in a folder of their own."""

from __future__ import annotations

import gc
import json
import os
import sys
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, settings

from config import display
from tests import processes, tiers

if TYPE_CHECKING:
    from collections.abc import Iterator

pytest.register_assert_rewrite("tests.connectors.contract", "tests.connectors.doubts")

ROOT = Path(__file__).parent.parent

# What is imported by now is there for good, and whole lives leave much that goes by itself. To look for garbage as
# often as Python does would take a tenth of the suite's time.
gc.freeze()
gc.set_threshold(50_000, 20, 20)

# Examples take as long as they take: a busy machine must not fail a test.
settings.register_profile("default", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("thorough", parent=settings.get_profile("default"), max_examples=2000)
# A change is judged by the same examples each time; looking for new ones is for those who have time to follow them up.
settings.register_profile("ci", parent=settings.get_profile("default"), derandomize=True)
PROFILE = os.environ.get("HYPOTHESIS_PROFILE", "ci" if "CI" in os.environ else "default")
settings.load_profile(PROFILE)


def pytest_configure(config: pytest.Config) -> None:
    """Let properties be tried with fewer examples in the test command; this is before any of them is imported."""
    tiers.quick = config.option.markexpr == tiers.QUICK and PROFILE != "thorough"
    if tiers.quick:
        profile = settings.get_profile(PROFILE)
        settings.register_profile("quick", parent=profile, max_examples=tiers.examples(profile.max_examples))
        settings.load_profile("quick")


def pytest_unconfigure(config: pytest.Config) -> None:
    """Leave no process behind."""
    processes.stop()


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Say what was left out."""
    if config.option.markexpr == tiers.QUICK:
        terminalreporter.write_line(f"Left out: what is marked proof, and most examples of properties. {tiers.HOW}")


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Mark what is the proof's, and leave out what is tried nowhere: before pytest picks what is asked for."""
    config.hook.pytest_deselected(items=[item for item in items if tiers.is_left_out(item)])
    items[:] = [item for item in items if not tiers.is_left_out(item)]
    for item in items:
        if tiers.is_left_to_the_proof(item, proof=config.option.markexpr == tiers.PROOF):
            item.add_marker("proof")


@dataclass(frozen=True)
class Done:
    """What a command printed, and its exit code."""

    code: int
    out: str
    err: str
    seconds: float  # of a processor

    @property
    def json(self) -> Any:
        return json.loads(self.out)


@dataclass
class Person:
    """Somebody with a folder, who runs `backplan` in it as a process of its own. env: what their environment adds."""

    folder: Path
    today: date = date(2027, 7, 20)
    env: dict[str, str] = field(default_factory=dict)

    @property
    def goals(self) -> Path:
        return self.folder / "goals.yaml"

    @property
    def todo(self) -> Path:
        return self.folder / "todo.md"

    def run(
        self, *arguments: str, stdin: str = "", env: dict[str, str] | None = None, module: str = "sync.cli.main"
    ) -> Done:
        environment = {
            key: value for key, value in os.environ.items() if not key.startswith(("BACKPLAN_", "PYTHONPATH"))
        }
        environment |= {"BACKPLAN_TODAY": self.today.isoformat(), "PYTHONUTF8": "1", **self.env, **(env or {})}
        done = processes.run(arguments, self.folder, {"PYTHONPATH": str(ROOT), **environment}, stdin.encode(), module)
        out, err = (_text(printed) for printed in (done.out, done.err))
        assert "Traceback" not in err, err
        return Done(done.code, out, err, done.seconds)

    def on_a_terminal(self, arguments: list[str], answers: list[str]) -> str:
        """Run `backplan` on a terminal and type an answer to each question; return what the terminal showed."""
        import pty  # only Unix has one

        child, terminal = pty.fork()
        if child == 0:
            os.chdir(self.folder)
            os.environ |= {"PYTHONPATH": str(ROOT), "BACKPLAN_TODAY": self.today.isoformat(), **self.env}
            os.execv(sys.executable, [sys.executable, "-P", "-m", "sync.cli.main", *arguments])
        shown = b""
        for answer in answers:
            while not shown.rstrip().endswith((b"?", b":")) and (part := os.read(terminal, 1000)):
                shown += part
            os.write(terminal, answer.encode() + b"\n")
            shown += b"\n"
        while part := _read_rest(terminal):
            shown += part
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
        return shown.decode()

    def writes(self, text: str, name: str = "goals.yaml") -> Path:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8", newline="")
        return path

    def changes(self, command: str = "sync") -> list[dict[str, Any]]:
        """Run a sync (or a plan) and return its changes, those that only tell something left out."""
        done = self.run(command, "--json")
        assert done.code == 0, done.err
        return [c for connector in done.json["connectors"] for c in connector["changes"] if c["action"] != "keep"]


def _text(printed: bytes) -> str:
    return printed.decode().replace("\r\n", "\n")


def _read_rest(terminal: int) -> bytes:
    try:
        return os.read(terminal, 1000)
    except OSError:  # Linux tells the end of a pseudo-terminal by an error
        return b""


@pytest.fixture(autouse=True)
def _no_day() -> Iterator[None]:
    """Forget the day of a command that ran in the process of the tests."""
    token = display.TODAY.set(None)
    yield
    display.TODAY.reset(token)


@pytest.fixture
def person(tmp_path: Path) -> Person:
    return Person(tmp_path)


FOOD_HANDLER = (ROOT / "config" / "examples" / "food-handler.yaml").read_text("utf-8")


@pytest.fixture
def food_handler() -> str:
    """The goals file of the food-handler certification: due 15 August 2027, six steps, the first on 24 July."""
    return FOOD_HANDLER
