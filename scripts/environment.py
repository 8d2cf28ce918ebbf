"""Makes `.venv` with the locked packages and this project, from nothing but Python and pip. Standard library only."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
_VENV = ROOT / ".venv"
_SCRIPTS = _VENV / ("Scripts" if os.name == "nt" else "bin")


def command(name: str) -> str:
    """Return the path of a command of the environment."""
    return str(_SCRIPTS / (f"{name}.exe" if os.name == "nt" else name))


def ensure(*locks: str) -> None:
    """Install the lock files named (in `requirements/`) and the project; does nothing when they are installed already.

    The environment is made without a pip of its own and filled by the system's, so that it works where the system's pip
    refuses to install outside an environment, and where the system has no ensurepip.
    """
    if sys.version_info < (3, 11):
        sys.exit(f"backplan needs Python 3.11 or newer; this is {sys.version.split()[0]}")
    files = [ROOT / "requirements" / lock for lock in locks]
    stamp = _VENV / "installed"
    # Scripts in an environment name its folder, so one that was moved or copied has to be made anew.
    parts = [str(ROOT).encode(), *(f.read_bytes() for f in [*files, ROOT / "pyproject.toml"])]
    wanted = hashlib.sha256(b"\0".join(parts)).hexdigest()
    if stamp.is_file() and wanted in stamp.read_text():
        return
    print("setting up .venv (once) ...", file=sys.stderr, flush=True)
    home = _VENV / "home"
    if not home.is_file() or home.read_text() != str(ROOT):
        _run(sys.executable, "-m", "venv", "--without-pip", "--clear", str(_VENV))
        home.write_text(str(ROOT))
    _install("--require-hashes", *(word for file in files for word in ("-r", str(file))))
    _install("--no-build-isolation", "--no-deps", "--editable", str(ROOT))
    with stamp.open("a") as file:
        file.write(f"{wanted}\n")


def _install(*arguments: str) -> None:
    _run(
        sys.executable,
        "-m",
        "pip",
        "--python",
        command("python"),
        "install",
        "--quiet",
        "--no-input",
        *arguments,
    )


def _run(*arguments: str) -> None:
    # uv_build looks for its own program on the path.
    path = f"{_SCRIPTS}{os.pathsep}{os.environ.get('PATH', '')}"
    environment = {**os.environ, "PATH": path, "PIP_DISABLE_PIP_VERSION_CHECK": "1"}
    done = subprocess.run(arguments, env=environment, check=False)
    if done.returncode:
        sys.exit(f"setting up failed; the command was: {' '.join(arguments)}")
