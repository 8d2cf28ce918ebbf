"""Imports all of backplan, and forks a process that runs it for each order on stdin; answers how that one ended."""

from __future__ import annotations

import atexit
import gc
import io
import json
import os
import runpy
import sys
import time
import traceback
import warnings
from importlib import import_module
from pkgutil import walk_packages
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel

if TYPE_CHECKING:
    from collections.abc import Iterator

_OURS = ("config", "connectors", "sync")
_STARTED_BY_NAME = {"sync.cli.main", "sync.action.main"}  # each run imports them anew, as the program that it is


def main() -> None:
    """Fork until there are no more orders."""
    _import_everything()
    for line in sys.stdin.buffer:
        order = json.loads(line)
        child = os.fork()
        if child == 0:
            _live(order)
        _, status, used = os.wait4(child, 0)
        print(os.waitstatus_to_exitcode(status), used.ru_utime, flush=True)


def _import_everything() -> None:
    os.environ["PYDANTIC_DISABLE_PLUGINS"] = "__all__"  # as sync/cli/main.py has it
    for package in _OURS:
        for module in walk_packages(import_module(package).__path__, f"{package}."):
            if module.name not in _STARTED_BY_NAME:
                import_module(module.name)
    for model in _models(BaseModel):
        model.model_rebuild()  # which is put off until a model is used
    gc.freeze()


def _models(model: type[BaseModel]) -> Iterator[type[BaseModel]]:
    for one in model.__subclasses__():
        if one.__module__.partition(".")[0] in _OURS and not one.__pydantic_generic_metadata__["parameters"]:
            yield one
        yield from _models(one)


def _live(order: dict[str, Any]) -> None:
    """Be the process that was ordered, and end."""
    code = 1
    try:
        _become(order)
        runpy.run_module(order["module"], run_name="__main__", alter_sys=True)
        code = 0
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else int(end.code is not None)
    except BaseException:  # Python would show it, too
        traceback.print_exc()
    finally:
        atexit._run_exitfuncs()
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def _become(order: dict[str, Any]) -> None:
    for number, path in enumerate(order["files"]):
        file = os.open(path, os.O_RDWR)
        os.dup2(file, number)
        os.close(file)
    sys.stdin = io.TextIOWrapper(io.FileIO(0, closefd=False), "utf-8", "surrogateescape")
    os.chdir(order["folder"])
    os.environ.clear()
    os.environ.update(order["env"])
    time.tzset()
    sys.path[:1] = order["env"]["PYTHONPATH"].split(os.pathsep)
    if order["env"].get("PYTHONWARNINGS") == "always":
        warnings.simplefilter("always")
    sys.argv[1:] = order["arguments"]


if __name__ == "__main__":
    main()
