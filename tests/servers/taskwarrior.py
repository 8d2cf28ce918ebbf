"""A stand-in for the program `task`: what 2.6 and 3.x do with an import and an export, and what they do wrong.

As a program of its own: `TASKDATA=folder taskwarrior.py 3.5.0 ARGUMENTS`. Its tasks are one file in the folder, and
`faults.json` beside it says what goes wrong: `locked`, how many processes find the tasks locked; `after`, that only
imports do, and how many tasks one of 3.x has written by then; `refused`, a word of a task that is not taken; `bare`, an
answer that is none.
"""

from __future__ import annotations

import json
import os
import re
import sys
import time
from pathlib import Path
from typing import Any

Task = dict[str, Any]

_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_DATES = ("due", "scheduled", "wait", "until", "entry", "end", "start")
_DATE = re.compile(r"\d{8}T\d{6}Z")
_CRASH, _BAD = -11, 2
_LOCKED = "database is locked: Error code 5: The database file is locked"


class Tasks:
    """The tasks in a folder."""

    def __init__(self, folder: Path, version: str) -> None:
        self.folder, self.version = folder, version
        self._file, self._faults = folder / "tasks.json", folder / "faults.json"

    @property
    def is_old(self) -> bool:
        return self.version.startswith("2")

    def read(self) -> dict[str, Task]:
        return json.loads(self._file.read_text("utf-8")) if self._file.exists() else {}

    def write(self, tasks: dict[str, Task]) -> None:
        new = self._file.with_suffix(".new")
        new.write_text(json.dumps(tasks, ensure_ascii=False), "utf-8")
        new.replace(self._file)

    def fail(self, **faults: object) -> None:
        """Let something go wrong from now on."""
        if faults:
            self._faults.write_text(json.dumps(faults), "utf-8")
        else:
            self._faults.unlink(missing_ok=True)

    def run(self, arguments: list[str], text: str) -> tuple[int, str, str]:
        """Return exit code, output and errors."""
        told = dict(word.partition("=")[::2] for word in arguments if word.startswith("rc."))
        command = [word for word in arguments if not word.startswith("rc.")]
        if told.get("rc.confirmation") != "off" or told.get("rc.verbose") != "nothing":
            return _BAD, "", "it would ask, and wait for an answer"
        if command[0] == "_get":
            return 0, f"{self.version} {self.folder}\n", ""
        faults = json.loads(self._faults.read_text("utf-8")) if self._faults.exists() else {}
        if faults.get("bare") and command == ["export"]:
            return 0, '[{"description":"no more"}]', ""
        locked = 0 if "after" in faults and command == ["export"] else faults.get("locked", 0)
        if locked:
            self.fail(**{**faults, "locked": locked - 1})
        if command == ["export"]:
            return (_BAD, "", _LOCKED) if locked and not self.is_old else (0, self._exported(), "")
        assert command == ["import", "-"], command
        limit = faults.get("after", 0) if locked else None
        return self._import(json.loads(text), limit, faults.get("refused", ""))

    def _exported(self) -> str:
        tasks = [{"id": n, **task, "urgency": 1.5} for n, task in enumerate(self.read().values(), start=1)]
        return "[\n" + ",\n".join(json.dumps(task, ensure_ascii=False).replace("/", "\\/") for task in tasks) + "\n]\n"

    def _import(self, new: list[Task], limit: int | None, refused: str) -> tuple[int, str, str]:
        tasks, out = self.read(), "Importing 'STDIN'\n"
        for number, task in enumerate(new):
            if limit is not None and number >= limit:
                return self._stopped(tasks, _BAD, out, _LOCKED)
            if _is_bad(task) or (refused and refused in task["description"]):
                return self._stopped(tasks, _CRASH if self.is_old else _BAD, out, "'x' is not a valid date")
            known = tasks.get(task["uuid"])
            whole = self._stored(task)
            if known is None or _without_time(known) != whole:
                tasks[task["uuid"]] = {**whole, "modified": _now()}
            how = "add " if known is None else "skip" if _without_time(known) == whole else "mod "
            out += f" {how} {task['uuid']} {task['description']}\n"
        self.write(tasks)
        return 0, out, ""

    def _stopped(self, tasks: dict[str, Task], code: int, out: str, err: str) -> tuple[int, str, str]:
        """Return that it went wrong in the middle: 2.6 writes all at the end, 3.x each task as it comes."""
        if not self.is_old:
            self.write(tasks)
        return code, out, err

    def _stored(self, task: Task) -> Task:
        """Return a task as it is stored: without a state it is open, and what is left out is gone."""
        whole = {"status": "pending", "entry": _now(), **task}
        whole.pop("modified", None)
        if whole["status"] in ("completed", "deleted"):
            whole.setdefault("end", _now())
        whole["tags"] = sorted(set(whole.get("tags", ())))
        if self.is_old:
            texts = {name: _bracketed(value) for name, value in whole.items() if isinstance(value, str)}
            notes = [{**one, "description": _bracketed(one["description"])} for one in whole.get("annotations", ())]
            whole |= {**texts, "annotations": notes}
        return {name: value for name, value in sorted(whole.items()) if value not in ([], "")}


def _bracketed(text: str) -> str:
    return text.replace("&open;", "[").replace("&close;", "]")


def _is_bad(task: Task) -> bool:
    dates = [task[name] for name in _DATES if name in task]
    return not (
        _UUID.fullmatch(task.get("uuid", ""))
        and task.get("description")
        and all(isinstance(one, str) and _DATE.fullmatch(one) for one in dates)
        and all(name not in task for name in ("id", "urgency"))
    )


def _without_time(task: Task) -> Task:
    return {name: value for name, value in task.items() if name != "modified"}


def _now() -> str:
    return time.strftime("%Y%m%dT%H%M%SZ", time.gmtime())


if __name__ == "__main__":
    version, *words = sys.argv[1:]
    code, told, wrong = Tasks(Path(os.environ["TASKDATA"]), version).run(words, sys.stdin.read())
    sys.stdout.write(told)
    sys.stderr.write(wrong)
    sys.stdout.flush()
    if code < 0:
        os.abort()
    os._exit(code)
