"""Tries backplan as it is installed: a copy of the project, in an environment of its own, far from the sources."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import environment

COMMANDS = (
    "--version",
    "init --github --template wedding --deadline 2099-06-13",
    "check",
    "schedule --html page.html --svg chart.svg --ics plan.ics",
    "page site",
    "sync",
    "today",
    "explain wedding",
    "connectors --json",
    "schema",
)
MADE = (
    "goals.yaml",
    ".github/workflows/backplan.yml",
    ".github/ISSUE_TEMPLATE/goal.yml",
    "README.md",
    "todo.md",
    "page.html",
    "chart.svg",
    "plan.ics",
    "site/goal/wedding.html",
)


def main() -> None:
    """Install a copy and run the commands in an empty folder; end with an error where one fails."""
    with TemporaryDirectory() as folder:
        environment.ensure("build.txt", "runtime.txt", folder=Path(folder) / "environment", copy=True)
        backplan, home = environment.command("backplan", Path(folder) / "environment"), Path(folder) / "home"
        home.mkdir()
        for words in COMMANDS:
            done = subprocess.run([backplan, *words.split()], cwd=home, capture_output=True, text=True, check=False)
            if done.returncode or "Traceback" in done.stderr:
                sys.exit(f"`backplan {words}` ends with {done.returncode}:\n{done.stdout}{done.stderr}")
        missing = [name for name in MADE if not (home / name).is_file()]
        typed = list((Path(folder) / "environment").rglob("py.typed"))
        ours = {path.parent.name for path in typed} & {"sync", "connectors", "config"}
        if missing or len(ours) < 3:
            sys.exit(f"was not made: {', '.join(missing) or 'py.typed'}")
    print(f"{len(COMMANDS)} commands run as installed")


if __name__ == "__main__":
    main()
