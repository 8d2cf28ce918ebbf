"""Records what backplan answers, and compares: for changes that move code and must not change behaviour.

    .venv/bin/python scripts/behaviour.py record before.gz
    .venv/bin/python scripts/behaviour.py compare before.gz
    .venv/bin/python scripts/behaviour.py compare before.gz --only 'lives/|explain'

A recording is gzipped JSON: `cases` has a text for each name. `compare` plays all cases again, lists those that differ,
shows the first few differences, and exits with 1 if there are any. `--only` takes a regular expression, and plays only
items with a case whose name it finds. Each takes some 200 seconds of processor time, on two processors.

The cases, each with all that was printed and the exit code:
- `help/`: the help of each command, and what needs no goals file;
- `examples/`, `docs/`, `generated/`: the commands on the examples, on goals files of the documentation, on random ones;
- `lives/`: several days of a random goals file and its list, with a random hand on both, and an undo;
- `http/`: each request of the connectors to the stand-ins for their services.
"""

from __future__ import annotations

import argparse
import difflib
import gc
import gzip
import io
import json
import os
import re
import subprocess
import sys
import tempfile
import time
import tomllib
from concurrent.futures import ProcessPoolExecutor
from contextlib import chdir, redirect_stderr, redirect_stdout
from datetime import timedelta
from importlib import import_module
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Any

import behaviour_http
import environment
from behaviour_plans import TODAY, edited, goals_file

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

ROOT = environment.ROOT
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
GENERATED, LIVES = 2000, 300
NAMED, SHOWN, LINES = 200, 5, 40  # how many differences are named, how many are shown, how many lines of each

Cases = dict[str, str]


# One command


def run(*arguments: str) -> str:
    """Run the command line in this process and folder; return what it printed, and its exit code."""
    module, _, name = PROJECT["scripts"]["backplan"].partition(":")
    main: Callable[[], object] = getattr(import_module(module), name)
    out, err = (io.TextIOWrapper(io.BytesIO(), "utf-8") for _ in range(2))
    sys.argv, sys.stdin = ["backplan", *arguments], io.StringIO()
    code: object = "none"
    with redirect_stdout(out), redirect_stderr(err):
        try:
            main()
        except SystemExit as ended:
            code = ended.code
        except Exception as error:  # a behaviour too, though never a right one
            code = repr(error)
        sys.stdout.flush()
        sys.stderr.flush()
    gc.enable()  # a run of its own has switched it off
    return f"$ backplan {' '.join(arguments)}\n{_text(out)}--- stderr\n{_text(err)}--- exit code {code}\n"


def _text(stream: io.TextIOWrapper) -> str:
    stream.seek(0)
    return stream.read()


# The cases: `PLAYERS` has a function for each kind


def play_help(_: str) -> Cases:
    """Return what needs no goals file: the help of each command among others."""
    shown = run("--help")
    commands = re.findall(r"^  (\w+)  ", shown.partition("Commands:")[2], re.MULTILINE)
    others = (
        ["schema"],
        ["connectors"],
        ["connectors", "--json"],
        ["init", "--template", "list"],
        ["schedule"],
        ["no"],
    )
    texts = [shown, *(run(name, "--help") for name in commands), *(run(*arguments) for arguments in others)]
    return {text.partition("\n")[0].removeprefix("$ backplan "): text for text in texts}


def _dice(seed: str) -> Random:
    return Random(seed)  # noqa: S311  # the same numbers each time, which guard no secret


def play_file(text: str, *, everything: bool) -> Cases:
    """Return what the commands say of a goals file, and all other reports of it where `everything` is asked for."""
    Path("goals.yaml").write_text(text, encoding="utf-8")
    cases = {"goals.yaml": text}

    def record(*arguments: str) -> str:
        cases[" ".join(arguments)] = answer = run(*arguments, "--today", str(TODAY))
        return answer

    for command in ("check", "schedule"):
        record(command)
    document = _document(record("schedule", "--json"))
    record("check", "--json")
    if "goals" not in document:  # a mistake: every other command would say the same
        return cases
    for arguments in (["plan"], ["plan", "--json"], ["status"], ["status", "--json"]):
        record(*arguments)
    dice = _dice(text)
    goal = dice.choice(document["goals"])
    keys = [f"{goal['id']}/{step['id']}" for step in goal["steps"]] or [goal["id"]]
    record("explain", dice.choice(keys))
    for arguments in _reports(goal["id"]) if everything else ():
        record(*arguments)
    return cases | {path.name: path.read_bytes().decode() for path in Path().glob("chart.*")}


def _reports(goal: str) -> Iterator[list[str]]:
    """Yield what is too slow, or too like the rest, to be asked of every file."""
    yield ["explain", goal, "--json"]
    yield ["fit", goal]
    yield ["fit", goal, "--json"]
    yield ["schedule", "--risk"]
    yield ["schedule", "--risk", "--json"]
    yield ["schedule", "--markdown"]
    yield ["schedule", "--html", "chart.html", "--svg", "chart.svg", "--ics", "chart.ics"]
    yield ["schedule", "--deadline", f"{goal}={TODAY + timedelta(50)}"]
    yield ["plan", "--markdown"]
    yield ["move", goal, str(TODAY + timedelta(40)), "--dry-run"]


def _document(answer: str) -> Any:
    """Return the JSON of an answer; nothing where the command broke, which its case shows."""
    try:
        return json.loads(answer.partition("\n")[2].partition("--- stderr\n")[0])
    except ValueError:
        return {}


def play_example(name: str) -> Cases:
    """Return what the commands say of a file in config/examples."""
    return play_file((ROOT / "config" / "examples" / name).read_text("utf-8"), everything=True)


def play_block(name: str) -> Cases:
    """Return what the commands say of a block of YAML in the documentation, named PAGE:NUMBER."""
    page, _, number = name.rpartition(":")
    return play_file(_blocks(ROOT / page)[int(number)], everything=True)


def play_http(name: str) -> Cases:
    """Return the requests of a connector in a scenario, named SERVICE:SCENARIO."""
    service, _, scenario = name.partition(":")
    return {"requests": behaviour_http.requests(service, scenario)}


def _blocks(page: Path) -> list[str]:
    return re.findall(r"^```yaml[^\n]*\n(.*?)^```$", page.read_text("utf-8"), re.MULTILINE | re.DOTALL)


def play_generated(seed: str) -> Cases:
    """Return what the commands say of a random goals file; of one in twelve, everything."""
    return play_file(goals_file(_dice(f"file {seed}")), everything=int(seed) % 12 == 0)


def play_life(seed: str) -> Cases:
    """Return what happens to a random goals file and its list on four days, on all but the last with a hand on them."""
    dice, goals, today = _dice(f"life {seed}"), Path("goals.yaml"), TODAY
    goals.write_text(goals_file(dice), encoding="utf-8")
    cases: Cases = {}
    for day in range(4):
        options = ("--goals", "goals.yaml", "--today", str(today))
        cases[f"{day} sync"] = run("sync", "--json", "--journal", "run.json", *options) + _folder()
        if day == 2:
            cases[f"{day} undo"] = run("undo", "run.json", "--yes", *options) + _folder()
        cases[f"{day} status"] = run("status", *options)
        for path in Path().glob("*.md"):
            path.write_text(_handled(dice, path.read_text("utf-8")), encoding="utf-8")
        if dice.random() < 0.5:
            goals.write_text(edited(dice, goals.read_text("utf-8")), encoding="utf-8")
        today += timedelta(dice.choice((0, 1, 1, 3, 7, 12)))
    return cases


def _folder() -> str:
    """Return the goals file and the lists of this folder."""
    files = sorted([*Path().glob("*.yaml"), *Path().glob("*.md")])
    return "".join(f"--- {path}\n{path.read_bytes().decode()}\n" for path in files)


def _handled(dice: Random, text: str) -> str:
    """Return a list as a person leaves it who does a thing or two to its tasks."""
    lines = text.splitlines(keepends=True)
    tasks = [number for number, line in enumerate(lines) if "<!-- bp1" in line]
    for number in dice.sample(tasks, min(len(tasks), dice.randint(0, 3))):
        line, day = lines[number], TODAY + timedelta(dice.randint(0, 60))
        ticked = line.replace("[ ]", "[x]") if "[ ]" in line else line.replace("[x]", "[ ]")
        dragged = re.sub(r"📅 [0-9-]+", f"📅 {day}", line)
        lines[number] = dice.choice(
            (ticked, ticked, dragged, dragged, "", line.replace("] ", "] My ", 1), line * 2, f"{line}- [ ] Buy milk\n")
        )
    return "".join(lines)


# All of them


PLAYERS: dict[str, Callable[[str], Cases]] = {
    "help": play_help,
    "http": play_http,
    "examples": play_example,
    "docs": play_block,
    "lives": play_life,
    "generated": play_generated,
}


def everything() -> list[tuple[str, str]]:
    """Return the kind and the name of all that is played."""
    pages = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
    blocks = [f"{page.relative_to(ROOT)}:{number}" for page in pages for number in range(len(_blocks(page)))]
    examples = sorted(path.name for path in (ROOT / "config" / "examples").glob("*.yaml"))
    names = {
        "help": ["all"],
        "http": [
            f"{service}:{scenario}" for service in behaviour_http.SERVICES for scenario in behaviour_http.SCENARIOS
        ],
        "examples": examples,
        "docs": blocks,
        "lives": [f"{seed:04}" for seed in range(LIVES)],
        "generated": [f"{seed:04}" for seed in range(GENERATED)],
    }
    return [(kind, name) for kind in PLAYERS for name in names[kind]]


def play(item: tuple[str, str]) -> Cases:
    """Play one item in an empty folder; return its cases with their whole names."""
    kind, name = item
    with tempfile.TemporaryDirectory() as folder, chdir(folder):
        cases = PLAYERS[kind](name)
    cases = {what: text.replace(folder, "FOLDER").replace(str(ROOT), "ROOT") for what, text in cases.items()}
    return {f"{kind}/{name}/{what.replace('/', ' ')}": text for what, text in cases.items()}


def play_all(items: list[tuple[str, str]]) -> Cases:
    """Play items, on two processors."""
    began = time.monotonic()
    with (
        tempfile.TemporaryDirectory() as folder,
        ProcessPoolExecutor(2, initializer=_same_everywhere, initargs=(Path(folder),)) as pool,
    ):
        cases = {name: text for played in pool.map(play, items, chunksize=4) for name, text in played.items()}
    print(f"played {len(items)} items, {len(cases)} cases, in {time.monotonic() - began:.0f} s", file=sys.stderr)
    return cases


def _same_everywhere(folder: Path) -> None:
    """Give a process the same environment on every machine: no token of a real account, no color, a fixed width.

    The connectors are found as pyproject.toml names them, also where another state of the project is installed.
    """
    sys.path.insert(0, str(folder))
    metadata = folder / f"backplan-{PROJECT['version']}.dist-info"
    metadata.mkdir(exist_ok=True)
    (metadata / "METADATA").write_text(f"Metadata-Version: 2.1\nName: backplan\nVersion: {PROJECT['version']}\n")
    connectors = PROJECT["entry-points"]["backplan.connectors"].items()
    lines = ["[backplan.connectors]", *(f"{name} = {value}" for name, value in connectors)]
    (metadata / "entry_points.txt").write_text("\n".join(lines))
    kept = {name: os.environ[name] for name in ("PATH", "SYSTEMROOT", "TMPDIR") if name in os.environ}
    os.environ.clear()
    os.environ.update(kept, COLUMNS="100", NO_COLOR="1", TZ="UTC", HOME="/nowhere")
    time.tzset()


def record(file: Path) -> int:
    """Write a recording."""
    document = {"commit": _commit(), "cases": play_all(everything())}
    file.write_bytes(gzip.compress(json.dumps(document, ensure_ascii=False).encode(), 6, mtime=0))
    print(f"wrote {file}: what {document['commit']} answers")
    return 0


def compare(file: Path, only: str) -> int:
    """Play again what a pattern finds; return 1 where a case differs from the recording."""
    document = json.loads(gzip.decompress(file.read_bytes()))
    before = _found(document["cases"], only)
    concerned = {name.rpartition("/")[0] for name in before}
    items = [item for item in everything() if not only or "/".join(item) in concerned]
    after = _found(play_all(items), only)
    names = {**before, **after}
    changed = [name for name in names if before.get(name) != after.get(name)]
    for name in changed[:SHOWN]:
        print(_difference(name, before.get(name, ""), after.get(name, "")))
    print(f"{len(changed)} of {len(names)} cases differ from {document['commit']}", *changed[:NAMED], sep="\n  ")
    if len(changed) > NAMED:
        print(f"  and {len(changed) - NAMED} more")
    return 1 if changed or not names else 0


def _found(cases: Cases, only: str) -> Cases:
    return {name: text for name, text in cases.items() if re.search(only, name)}


def _difference(name: str, before: str, after: str) -> str:
    lines = list(difflib.unified_diff(_lines(before), _lines(after), f"{name} before", "after", lineterm=""))
    return "\n".join([*lines[:LINES], *([f"... {len(lines) - LINES} more lines"] if len(lines) > LINES else []), ""])


def _lines(text: str) -> list[str]:
    """Return the lines of a text, with a line for each value of a JSON document."""
    return [part for line in text.splitlines() for part in _unfolded(line).splitlines() or [""]]


def _unfolded(line: str) -> str:
    try:
        return json.dumps(json.loads(line), indent=1, ensure_ascii=False) if line.startswith("{") else line
    except ValueError:
        return line


def _commit() -> str:
    command = ["git", "-C", str(ROOT), "describe", "--always", "--dirty", "--abbrev=12"]
    return subprocess.run(command, capture_output=True, check=True, text=True).stdout.strip()


def main() -> None:
    """Record or compare."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("command", choices=("record", "compare"))
    parser.add_argument("file", type=Path, help="the recording")
    parser.add_argument("--only", default="", metavar="PATTERN", help="compare only cases whose name this finds")
    said = parser.parse_args()
    sys.exit(record(said.file) if said.command == "record" else compare(said.file, said.only))


if __name__ == "__main__":
    main()
