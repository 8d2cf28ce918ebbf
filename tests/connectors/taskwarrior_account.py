"""Somebody who uses Taskwarrior: the program itself, or a stand-in for one of its versions."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from contextlib import contextmanager
from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest

from connectors import stored
from connectors.taskwarrior.connector import TaskwarriorConnector, TaskwarriorOptions
from connectors.taskwarrior.item import stamp
from connectors.taskwarrior.program import Ended, Program
from tests.connectors.contract import NAMESPACE
from tests.servers import taskwarrior
from tests.servers.taskwarrior import Tasks

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from connectors.taskwarrior.program import Item

    Start = Callable[[Sequence[str], str], Ended]

EPOCH = datetime(2027, 7, 20, 9, tzinfo=UTC)  # the contract's today
VERSIONS = ("2.6.2", "3.5.0")
_QUIET = ("rc.confirmation=off", "rc.verbose=nothing", "rc.gc=off", "rc.json.array=on")


class TaskwarriorAccount:
    """Somebody who works with `task`. `start` runs it."""

    clock = 0
    cancels = False  # to delete a task is the only way
    garbles: frozenset[str] = frozenset()

    def __init__(self, start: Start, folder: Path) -> None:
        self.start, self.folder = start, folder
        self._added: list[str] = []

    def connector(self, namespace: str = NAMESPACE, *, project: str = "goals") -> TaskwarriorConnector:
        program = Program(lambda arguments, text: self.start(arguments, text), lambda _: None)
        return TaskwarriorConnector(program, namespace, TaskwarriorOptions(project=project))

    def items(self) -> dict[str, Item]:
        ended = self.start([*_QUIET, "export"], "")
        assert ended.code == 0, ended
        return {item["uuid"]: item for item in json.loads(ended.out, strict=False)}

    def put(self, item: Item) -> str:
        """Write a whole task."""
        kept = {name: value for name, value in item.items() if name not in ("id", "urgency", "modified")}
        ended = self.start([*_QUIET, "rc.hooks=off", "import", "-"], json.dumps([kept]))
        assert ended.code == 0, ended
        return str(item["uuid"])

    def edit(self, native_id: str, **changes: Any) -> None:
        """Change attributes of a task; those that are None go."""
        changed = {**self.items()[native_id], **changes}
        self.put({name: value for name, value in changed.items() if value is not None})

    def tick(self, native_id: str) -> None:
        self.edit(native_id, status="completed", end=stamp(EPOCH + timedelta(self.clock)))

    def reopen(self, native_id: str) -> None:
        self.edit(native_id, status="pending", end=None)

    def delete(self, native_id: str) -> None:
        self.edit(native_id, status="deleted", end=stamp(EPOCH))

    def cancel(self, native_id: str) -> None:
        raise NotImplementedError

    def garble(self, native_id: str, what: str) -> None:
        raise NotImplementedError

    def complaint(self, native_id: str, what: str) -> Sequence[str]:
        raise NotImplementedError

    def set_due(self, native_id: str, day: date | None) -> None:
        """As `modify due:2027-09-10` does: midnight, by the clock of this machine."""
        self.edit(native_id, due=stamp(datetime.combine(day, time())) if day else None)

    def set_title(self, native_id: str, title: str) -> None:
        self.edit(native_id, description=title)

    def touch(self, native_id: str) -> None:
        self.annotate(native_id, "Ask Ann first")

    def annotate(self, native_id: str, words: str) -> None:
        known = self.items()[native_id].get("annotations", [])
        self.edit(native_id, annotations=[*known, {"entry": stamp(EPOCH), "description": words}])

    def copy(self, native_id: str) -> object:
        """As `task duplicate` does, attributes of ours among the others."""
        return self.put({**self.items()[native_id], "uuid": str(uuid4()), "entry": stamp(EPOCH + timedelta(days=9))})

    def damage_marker(self, native_id: str) -> None:
        nonce = self.items()[native_id]["backplan"].split()[1]
        self.edit(native_id, backplan=f"bp1 {nonce} oops")

    def add_foreign_task(self, title: str) -> str:
        one = {"uuid": str(uuid4()), "status": "pending", "description": title, "entry": stamp(EPOCH)}
        note = {"entry": stamp(EPOCH), "description": "by phone"}
        more = {"project": "goals.g", "tags": ["next"], "annotations": [note], "estimate": "3h", "priority": "L"}
        self._added.append(self.put({**one, **more}))
        return self._added[-1]

    def foreign_tasks(self) -> object:
        items = self.items()
        return {one: {k: v for k, v in items[one].items() if k not in ("id", "urgency")} for one in self._added}

    def text(self) -> str:
        shown = [item for item in self.items().values() if item["status"] != "deleted"]
        notes = [note["description"] for item in shown for note in item.get("annotations", ())]
        return "\n".join([*(item["description"] for item in shown), *notes])

    def titles(self) -> list[str]:
        """Return the titles of what is not deleted, but for the memory."""
        shown = (item for item in self.items().values() if item["status"] != "deleted")
        return sorted(item["description"] for item in shown if item["description"] != stored.TITLE)


class StandIn(TaskwarriorAccount):
    """The stand-in, within this process."""

    garbles = frozenset({"date", "state"})

    def __init__(self, folder: Path, version: str) -> None:
        folder.mkdir(exist_ok=True)
        self.tasks = Tasks(folder, version)
        super().__init__(lambda arguments, text: Ended(*self.tasks.run(list(arguments), text)), folder)

    def items(self) -> dict[str, Item]:
        return self.tasks.read()

    def edit(self, native_id: str, **changes: Any) -> None:
        tasks = self.tasks.read()
        changed = {**tasks[native_id], **changes}
        tasks[native_id] = {name: value for name, value in changed.items() if value is not None}
        self.tasks.write(tasks)

    def garble(self, native_id: str, what: str) -> None:
        tasks = self.tasks.read()
        tasks[native_id] |= {"due": "next friday"} if what == "date" else {"status": "maybe"}
        self.tasks.write(tasks)

    def complaint(self, native_id: str, what: str) -> Sequence[str]:
        said = ("due `next friday`", "modify due:") if what == "date" else ("status `maybe`", "edit`")
        return (*said, "set it again", native_id[:8])

    @contextmanager
    def misshape(self) -> Iterator[str]:
        """Let an export lack the ids of its tasks."""
        self.tasks.fail(bare=True)
        yield "the output of `task export` is not a list of tasks"
        self.tasks.fail()


def standing_in(folder: Path, version: str) -> TaskwarriorAccount:
    """Return an account with the stand-in as a program of its own, which is found like the real one."""
    programs = folder / "bin"
    programs.mkdir()
    task = programs / "task"
    task.write_text(f'#!/bin/sh\nexec "{sys.executable}" -SIE "{taskwarrior.__file__}" {version} "$@"\n', "utf-8")
    task.chmod(0o755)
    return _as_a_program(folder, f"{programs}{os.pathsep}{os.environ['PATH']}")


def itself(folder: Path) -> TaskwarriorAccount:
    """Return an account with the real program; the test is skipped where there is none."""
    if shutil.which("task") is None:
        pytest.skip("Taskwarrior: the program `task` is not installed")
    return _as_a_program(folder, os.environ["PATH"])


def _as_a_program(folder: Path, path: str) -> TaskwarriorAccount:
    data = folder / "data"
    data.mkdir()
    (folder / "taskrc").write_text("", "utf-8")
    env = {**os.environ, "PATH": path, "HOME": str(folder), "TASKRC": str(folder / "taskrc"), "TASKDATA": str(data)}

    def start(arguments: Sequence[str], text: str) -> Ended:
        now = {**env, "TZ": os.environ["TZ"]} if "TZ" in os.environ else env
        done = subprocess.run(["task", *arguments], input=text.encode(), capture_output=True, env=now, check=False)
        return Ended(done.returncode, done.stdout.decode("utf-8", "replace"), done.stderr.decode("utf-8", "replace"))

    return TaskwarriorAccount(start, data)
