"""Runs the tests in one command, with all of its own set-up. Arguments are pytest's.

What takes longer than people wait, such as thousands of random histories, is left out: --proof runs that alone.
"""

from __future__ import annotations

import os
import subprocess
import sys

import environment

SPREAD = ["-n", "auto", "--dist", "worksteal"]  # no processor waits for another's last tests


def main() -> None:
    """Set up and run pytest."""
    environment.ensure("build.txt", "dev.txt")
    given = sys.argv[1:]
    arguments = [argument for argument in given if argument != "--proof"]
    which = "proof" if arguments != given else "not proof"
    python = environment.command("python")
    command = [
        python,
        "-m",
        "pytest",
        "-m",
        which,
        *(arguments or SPREAD),
    ]  # another -m among them is the one that counts
    # With this one, each of hundreds of processes would compile all modules once more.
    env = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    sys.exit(subprocess.run(command, cwd=environment.ROOT, env=env, check=False).returncode)


if __name__ == "__main__":
    main()
