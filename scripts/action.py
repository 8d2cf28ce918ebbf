"""What action.yml runs: makes an environment for backplan alone, and runs it there. Standard library only.

Nothing of the repository that the workflow checked out is run: neither its Python, nor its packages, nor its modules.
"""

from __future__ import annotations

import hashlib
import os
import platform
import subprocess
import sys
from pathlib import Path

import environment

LOCKS = ("build.txt", "runtime.txt")


def main() -> None:
    """Do what the one argument says."""
    steps = {"locate": locate, "install": install, "run": run}
    steps[sys.argv[1]]()


def folder() -> Path:
    """Return where the environment is: a place that the runner empties after the job."""
    return Path(os.environ["RUNNER_TEMP"]) / "backplan-environment"


def key() -> str:
    """Return the name under which the environment is kept between runs: another one for whatever would change it."""
    python = f"{sys.version} {Path(sys.executable).resolve()}"
    print(f"the environment is made for Python {python}")
    system = f"{platform.system()}-{platform.machine()}-{hashlib.sha256(python.encode()).hexdigest()[:10]}"
    return f"backplan-{system}-{environment.fingerprint(*LOCKS, copy=True)[:20]}"


def locate() -> None:
    """Tell the workflow where the environment is, and the name of its cache."""
    with Path(os.environ["GITHUB_OUTPUT"]).open("a", encoding="utf-8") as file:
        file.write(f"folder={folder()}\nkey={key()}\n")


def install() -> None:
    """Make the environment, unless it came out of the cache."""
    environment.ensure(*LOCKS, folder=folder(), copy=True)


def run() -> None:
    """Run backplan with the inputs that the environment variables INPUT_* hold."""
    python = environment.command("python", folder())
    # Isolated (-I): no PYTHONPATH, no module from the current folder.
    done = subprocess.run([python, "-I", "-X", "utf8", "-m", "sync.action.main"], check=False)
    sys.exit(done.returncode)


if __name__ == "__main__":
    main()
