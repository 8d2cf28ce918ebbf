"""Shows the main job in one command: a goal becomes dated steps in a to-do list. Asks for nothing, needs no account."""

from __future__ import annotations

import subprocess
import sys
from datetime import UTC, datetime, timedelta

import environment

FOLDER = environment.ROOT / "try"


def main() -> None:
    """Set up, write a goals file eight weeks ahead (once), and bring its to-do list in line."""
    environment.ensure("build.txt", "runtime.txt")
    goals = FOLDER / "goals.yaml"
    if not goals.exists():
        deadline = datetime.now(UTC).date() + timedelta(weeks=8)
        said = ("--template", "food-handler", "--deadline", deadline.isoformat(), "--no-workflow")
        backplan("init", "--goals", str(goals), *said)
    backplan("schedule", "--goals", str(goals))
    backplan("sync", "--goals", str(goals))
    print(f"""
Your steps are in {FOLDER / "todo.md"}: tick one, or change its date.
Then change the deadline in {goals} and run this again: the dates follow.""")


def backplan(*arguments: str) -> None:
    """Run the command line and stop where it stops."""
    print(f"\n$ backplan {' '.join(arguments)}", flush=True)
    done = subprocess.run([environment.command("backplan"), *arguments], check=False)
    if done.returncode:
        sys.exit(done.returncode)


if __name__ == "__main__":
    main()
