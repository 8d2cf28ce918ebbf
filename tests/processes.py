"""Processes of backplan: real ones, with a folder, an environment, files to print into and an exit code of their own.

To start Python and import everything takes most of the time of a short run. So the test command forks its processes,
where that is possible, from one that has imported everything, and the proof starts those of the main job from nothing.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import IO, TYPE_CHECKING

from tests import tiers

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

ROOT = Path(__file__).parent.parent
# What Python itself takes from the environment when it starts: a fork can do the same, or nobody sees a difference.
_FORKED = {"PYTHONPATH", "PYTHONUTF8", "PYTHONWARNINGS", "PYTHONUNBUFFERED", "PYTHONDONTWRITEBYTECODE"}


@dataclass(frozen=True)
class Ended:
    """What a process printed, its exit code, and the seconds of a processor that it spent on its own work."""

    code: int
    out: bytes
    err: bytes
    seconds: float


def run(
    arguments: Sequence[str], folder: Path, env: Mapping[str, str], stdin: bytes = b"", module: str = "sync.cli.main"
) -> Ended:
    """Run backplan in a folder, from its beginning to its end."""
    if tiers.quick and sys.platform == "linux" and _can_be_forked(env):
        return _nursery().run(arguments, folder, env, stdin, module)
    command = [sys.executable, "-P", "-m", module, *arguments]
    before = os.times().children_user
    done = subprocess.run(command, cwd=folder, env=env, input=stdin, capture_output=True, check=False)
    return Ended(done.returncode, done.stdout, done.stderr, os.times().children_user - before)


def stop() -> None:
    """Let nothing be forked any more."""
    if _nursery.cache_info().currsize:
        _nursery().stop()
        _nursery.cache_clear()


def _can_be_forked(env: Mapping[str, str]) -> bool:
    for_python = {name for name in env if name.startswith("PYTHON")}
    ours_first = env.get("PYTHONPATH", "").split(os.pathsep)[0] == str(ROOT)
    return for_python <= _FORKED and ours_first and env.get("PYTHONUTF8") == "1"


class Nursery:
    """A process that has imported everything, and forks one that runs for each line that it is sent."""

    def __init__(self) -> None:
        env = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
        env |= {"PYTHONPATH": str(ROOT), "PYTHONUTF8": "1", "OPENBLAS_NUM_THREADS": "1"}  # threads cannot be forked
        command = [sys.executable, "-P", str(ROOT / "tests" / "nursery.py")]
        self._process = subprocess.Popen(
            command, env=env, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, encoding="utf-8"
        )

    def run(self, arguments: Sequence[str], folder: Path, env: Mapping[str, str], stdin: bytes, module: str) -> Ended:
        with tempfile.TemporaryFile() as given, tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
            given.write(stdin)
            given.flush()
            given.seek(0)
            files = [f"/proc/{os.getpid()}/fd/{file.fileno()}" for file in (given, out, err)]
            order = {"module": module, "arguments": arguments, "folder": str(folder), "env": dict(env), "files": files}
            to, answers = self._process.stdin, self._process.stdout
            assert to is not None
            assert answers is not None
            to.write(json.dumps(order) + "\n")
            to.flush()
            code, seconds = answers.readline().split()
            return Ended(int(code), _all_of(out), _all_of(err), float(seconds))

    def stop(self) -> None:
        self._process.communicate()


def _all_of(file: IO[bytes]) -> bytes:
    file.seek(0)
    return file.read()


@cache
def _nursery() -> Nursery:
    return Nursery()
