"""Runs the tests in one command, with all of its own set-up. Arguments are pytest's."""

from __future__ import annotations

import subprocess
import sys

import environment


def main() -> None:
    """Set up and run pytest."""
    environment.ensure("build.txt", "dev.txt")
    arguments = sys.argv[1:] or ["-n", "auto", "--dist", "worksteal"]  # no processor waits for another's last tests
    python = environment.command("python")
    sys.exit(subprocess.run([python, "-m", "pytest", *arguments], cwd=environment.ROOT, check=False).returncode)


if __name__ == "__main__":
    main()
