"""Runs the program `task`, without questions, hooks or changes of the user's settings, and with a time limit."""

from __future__ import annotations

import json
import os
import re
import subprocess
import time
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from tenacity import Retrying, retry_if_exception_type, stop_after_attempt, wait_random_exponential

from config.errors import BackplanError, InputError
from connectors.base import Requests

try:
    import fcntl
except ImportError:  # on Windows, where there is no Taskwarrior
    fcntl = None  # type: ignore[assignment]

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterable, Mapping, Sequence

T = TypeVar("T")
Item = dict[str, Any]  # a task, as `task export` prints it and `task import` takes it

_SETTINGS = (
    "rc.confirmation=off",
    "rc.verbose=nothing",  # no messages in the output
    "rc.context=none",
    "rc.hooks=off",  # they may ask questions or wait
    "rc.recurrence=off",  # an export must not create occurrences
    "rc.gc=off",  # nor renumber the tasks
    "rc.json.array=on",
)
_LONGEST = 300.0  # seconds a process; 3.x takes up to 0.09 s for each new task
_TRIES = 6  # while another program holds the tasks: about ten seconds
_WAIT = wait_random_exponential(multiplier=0.2, max=5)
_LOCKED = "database is locked"
_ABOUT = re.compile(r"(\d+)\.(\d+)\S* (.+)")
_OLDEST = (2, 6)
_DATABASE, _FILES_OF_2 = "taskchampion.sqlite3", ("pending.data", "completed.data")
_INSTALL = "install Taskwarrior 2.6 or later (`apt install taskwarrior`, `brew install task`)"


class LockedError(BackplanError):
    """Another program uses the tasks at this moment."""

    def __init__(self) -> None:
        super().__init__("Taskwarrior: another program is using the tasks (the database is locked); run again")


@dataclass(frozen=True, slots=True)
class Ended:
    """The output of a process, and its exit code; it is negative after a crash."""

    code: int
    out: str
    err: str = ""

    @property
    def why(self) -> str:
        """The last line of its error message."""
        lines = [line for line in (self.err or self.out).strip().splitlines() if line.strip()]
        return lines[-1].strip() if lines else f"it ended with {self.code}"


def start(arguments: Sequence[str], text: str, variables: Mapping[str, str] = os.environ) -> Ended:
    """Run `task` with an input, and the variables of a run.

    Raises InputError if it is not installed, BackplanError after the time limit.
    """
    try:
        done = subprocess.run(  # noqa: S603  # no shell, constant arguments
            ["task", *arguments],  # noqa: S607  # found in PATH
            input=text.encode(),
            capture_output=True,
            timeout=_LONGEST,
            env=_environment(variables),
            check=False,
        )
    except (FileNotFoundError, PermissionError):
        raise InputError(f"taskwarrior: the program `task` is not installed; {_INSTALL}") from None
    except subprocess.TimeoutExpired:
        raise BackplanError(f"Taskwarrior: `task` did not finish within {_LONGEST:.0f} s; run again") from None
    return Ended(done.returncode, done.stdout.decode("utf-8", "replace"), done.stderr.decode("utf-8", "replace"))


class Program:
    """Taskwarrior with the data of the current user. Counts the processes that read and those that write."""

    def __init__(
        self, start: Callable[[Sequence[str], str], Ended] = start, sleep: Callable[[float], None] = time.sleep
    ) -> None:
        self.requests = Requests()
        self._start, self._sleep = start, sleep

    def about(self) -> tuple[str, Path]:
        """Return the version and the folder of the data. Raises InputError if it is not Taskwarrior, or too old."""
        self.requests.read += 1
        ended = self._run("_get", "tw.version", "rc.data.location")
        about = _ABOUT.fullmatch(ended.out.strip())
        if about is None:
            raise InputError(f"taskwarrior: the program `task` is not Taskwarrior, or does not work: {ended.why}")
        if (int(about[1]), int(about[2])) < _OLDEST:
            raise InputError(f"taskwarrior: version {about[1]}.{about[2]} is too old; {_INSTALL}")
        return ended.out.split()[0], Path(about[3]).expanduser()

    def export(self) -> dict[str, Item]:
        """Return all tasks by id, including completed and deleted ones."""
        self.requests.read += 1
        ended = self._run("export")
        try:
            found = json.loads(ended.out, strict=False)
            items: dict[str, Item] = {item["uuid"]: item for item in found}
        except (ValueError, TypeError, KeyError):
            raise BackplanError("Taskwarrior: the output of `task export` is not a list of tasks; run again") from None
        if ended.code:
            raise BackplanError(f"Taskwarrior: the tasks cannot be read: {ended.why}")
        return items

    def load(self, items: Iterable[Item]) -> str:
        """Import whole tasks. Return the error, perhaps after a part of them; empty for none."""
        self.requests.write += 1
        ended = self._run("import", "-", text=json.dumps(list(items), ensure_ascii=False))
        return ended.why if ended.code else ""

    def patiently(self, ask: Callable[[], T]) -> T:
        """Call `ask` again while the tasks are locked. Raises LockedError in the end."""
        again = Retrying(
            retry=retry_if_exception_type(LockedError),
            wait=_WAIT,
            stop=stop_after_attempt(_TRIES),
            sleep=self._sleep,
            reraise=True,
        )
        return again(ask)

    def _run(self, *command: str, text: str = "") -> Ended:
        ended = self._start([*_SETTINGS, *command], text)
        if ended.code and _LOCKED in f"{ended.err}{ended.out}".lower():
            raise LockedError
        return ended


@contextmanager
def alone_in(folder: Path) -> Generator[None]:
    """Lock a folder against other runs of backplan, since an export and an import are two steps.

    Raises LockedError if another run has locked it.
    """
    if fcntl is None or not folder.is_dir():  # no task yet
        yield
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)  # pyright: ignore[reportPossiblyUnboundVariable]
        except BlockingIOError:
            raise LockedError from None
        except OSError:  # no locks on this file system, as on some network drives
            pass
        yield
    finally:
        os.close(handle)


def trace_of(folder: Path) -> tuple[object, ...]:
    """Return a value that changes with every change of the files in a folder."""
    found: list[object] = []
    for path in sorted(folder.iterdir()) if folder.is_dir() else ():
        with suppress(FileNotFoundError):  # temporary files of 3.x
            status = path.stat()
            found.append((path.name, status.st_mtime_ns, status.st_size))
    return tuple(found)


def tasks_of_other_version(version: str, folder: Path) -> str:
    """Return a sentence if a folder has tasks that this version of Taskwarrior does not show; empty if it has none."""
    if version.startswith("2."):
        if (folder / _DATABASE).exists():
            return f"Taskwarrior 3 keeps the tasks in {folder}, which {version} cannot read; use version 3"
        return ""
    old = any((folder / name).exists() and (folder / name).stat().st_size for name in _FILES_OF_2)
    return f"the tasks of Taskwarrior 2 in {folder} are not in {version} yet; run `task import-v2`" if old else ""


def _environment(variables: Mapping[str, str]) -> dict[str, str]:
    """Return the environment of a process. Raises InputError without a taskrc: Taskwarrior would create one."""
    known = dict(variables)
    home, own = Path(known.get("HOME") or Path.home()), known.get("XDG_CONFIG_HOME", "")
    places = (home / ".taskrc", Path(own or home / ".config") / "task" / "taskrc")
    if not known.get("TASKRC") and not any(place.exists() for place in places):
        if not known.get("TASKDATA"):
            raise InputError("taskwarrior: there is no taskrc yet; run `task` once, and let it create one")
        known["TASKRC"] = os.devnull
    return known
