"""Measures what a person waits for. Run it with `.venv/bin/python benchmarks/run.py`; it prints every figure.

Times are the least of several runs of a process of its own, in milliseconds. Figures of one machine mean little, so
each stands beside something well known that was measured in the same minute.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from datetime import date
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))

from benchmarks.plans import goals_file, plain_goals_file

SMALLEST = """goals:
  - title: Complete my food handler certification
    deadline: 2027-08-15
    steps:
      - Find a course provider
      - Sign up for the course
      - Watch the training videos
      - Take the test
"""
BACKPLAN = shutil.which("backplan", path=str(Path(sys.executable).parent)) or "backplan"
IMPORTS = "import click; from pydantic import BaseModel"
ONE_MODEL = f"{IMPORTS}\nclass Model(BaseModel):\n    number: int\nModel(number=1)"
LOAD_YAML = "import sys, yaml; yaml.load(open(sys.argv[1], 'rb'), Loader=yaml.CSafeLoader)"
YAML_TO_JSON = (
    f"import json; {LOAD_YAML.replace('yaml.load', 'plan = yaml.load')}; print(json.dumps(plan, default=str))"
)
TODAY = ["--today", "2030-01-07"]
COMMANDS = {  # in this order: the first sync writes the list that those behind it read
    "check": ["check"],
    "schedule --json": ["schedule", "--json", *TODAY],
    "plan --json": ["plan", "--json", *TODAY],
    "the first sync": ["sync", "--json", *TODAY],
    "a second sync": ["sync", "--json", *TODAY],
    "status": ["status", *TODAY],
    "explain g0/s0": ["explain", "g0/s0", *TODAY],
}
ROW = "{:<17}{:>9}{:>7}{:>9}{:>7}{:>9}{:>7}"


def main() -> None:
    """Measure everything and print it."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        start_up(folder)
        large_file(folder)
        one_deadline(folder)
        whole_commands(folder)


def start_up(folder: Path) -> None:
    """How soon something is on the screen, beside importing what it is built on."""
    small = written(folder / "small.yaml", SMALLEST)
    imports = least([sys.executable, "-c", IMPORTS], 15)
    one_model = least([sys.executable, "-c", ONE_MODEL], 15)
    version = least([BACKPLAN, "--version"], 15)
    schedule = least([BACKPLAN, "schedule", "--goals", small], 15)
    print(f"importing pydantic's BaseModel and click {imports:6.0f} ms")
    print(f"the same, and one model with one field   {one_model:6.0f} ms  {one_model / imports:.2f} times that")
    print(f"backplan --version                       {version:6.0f} ms  {version / imports:.2f} times that")
    print(f"backplan schedule, the smallest file     {schedule:6.0f} ms  {schedule / imports:.2f} times that")


def large_file(folder: Path) -> None:
    """10,000 steps, beside PyYAML's C loader on the same file."""
    large = written(folder / "large.yaml", goals_file(100, 100))
    yaml = least([sys.executable, "-c", LOAD_YAML, large], 5)
    schedule = least([BACKPLAN, "schedule", "--json", "--goals", large], 5)
    print(f"PyYAML's C loader, 10,000 steps          {yaml:6.0f} ms")
    print(f"backplan schedule --json, 10,000 steps   {schedule:6.0f} ms  {schedule / yaml:.2f} times that")


def one_deadline(folder: Path) -> None:
    """One deadline of 100 goals moved: how many tasks are written, and whether a second run writes anything."""
    goals = written(folder / "goals.yaml", goals_file(100, 10))
    sync = [BACKPLAN, "sync", "--json", "--goals", goals, "--today", "2030-01-07"]
    written_by(sync)
    before = (folder / "todo.md").stat().st_mtime_ns
    again = written_by(sync)
    untouched = (folder / "todo.md").stat().st_mtime_ns == before
    print(f"a second sync of 100 goals               {len(again):6} tasks written, todo.md untouched: {untouched}")
    subprocess.run([BACKPLAN, "move", "goal-7", "2031-06-30", "--goals", goals], capture_output=True, check=True)
    moved = written_by(sync)
    print(f"one deadline of 100 goals moved          {len(moved):6} tasks written, of {goals_of(moved)}")


def whole_commands(folder: Path) -> None:
    """Processor time of commands with up to 100,000 steps in goals of twenty, beside the file from YAML to JSON."""
    sizes = (1_000, 10_000, 100_000)
    files = [folder / str(size) / "goals.yaml" for size in sizes]
    for size, path in zip(sizes, files, strict=True):
        path.parent.mkdir()
        written(path, plain_goals_file(size, {}, date(2031, 6, 30), a_goal=20))
    yaml = [processor_time([sys.executable, "-c", YAML_TO_JSON, str(path)]) for path in files]
    print(ROW.format("seconds, times", *(f"{size:,}" if n else "" for size in sizes for n in (1, 0))))
    print(ROW.format("YAML to JSON", *(f"{took:.2f}" if n else "1" for took in yaml for n in (1, 0))))
    for name, command in COMMANDS.items():
        took = [processor_time([BACKPLAN, *command, "--goals", str(path)]) for path in files]
        pairs = zip(took, yaml, strict=True)
        print(ROW.format(name, *(text for one, of in pairs for text in (f"{one:.2f}", f"{one / of:.1f}"))))


def written(path: Path, text: str) -> str:
    """Write a file and return its name."""
    path.write_text(text, encoding="utf-8")
    return str(path)


def written_by(command: list[str]) -> list[str]:
    """Run a sync and return the keys of the tasks that it wrote."""
    done = subprocess.run(command, capture_output=True, check=True, text=True, encoding="utf-8")
    changes = [change for connector in json.loads(done.stdout)["connectors"] for change in connector["changes"]]
    return [change["key"] for change in changes if change["action"] != "keep"]


def goals_of(keys: list[str]) -> str:
    """Return the goals that keys belong to."""
    return ", ".join(sorted({key.partition("/")[0] for key in keys}))


def processor_time(command: list[str]) -> float:
    """Return the processor time of one run of a command, in seconds."""
    before = os.times()
    subprocess.run(command, capture_output=True, check=True)
    after = os.times()
    return after.children_user + after.children_system - before.children_user - before.children_system


def least(command: list[str], times: int) -> float:
    """Return the least wall time of some runs of a command, in milliseconds."""
    took = []
    for _ in range(times):
        start = time.perf_counter()
        subprocess.run(command, capture_output=True, check=True)
        took.append(time.perf_counter() - start)
    return min(took) * 1000


if __name__ == "__main__":
    main()
