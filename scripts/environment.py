"""Makes an environment with the locked packages and this project, from nothing but Python and pip.

Standard library only.
"""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
_PACKAGES = ("config", "connectors", "sync")
_SUFFIXES = {
    ".py",
    ".yaml",
    ".json",
    ".html",
    ".css",
}  # of the project's own files; a list of tasks beside the examples is none


def command(name: str, folder: Path = VENV) -> str:
    """Return the path of a command of the environment."""
    return str(_scripts(folder) / (f"{name}.exe" if os.name == "nt" else name))


def ensure(*locks: str, folder: Path = VENV, copy: bool = False) -> None:
    """Install the lock files named (in `requirements/`) and the project; does nothing when they are installed already.

    copy: install a copy of the project, not the one that can be edited here.

    The environment is made without a pip of its own and filled by the system's, so that it works where the system's pip
    refuses to install outside an environment, and where the system has no ensurepip.
    """
    if sys.version_info < (3, 11):
        sys.exit(f"backplan needs Python 3.11 or newer; this is {sys.version.split()[0]}")
    stamp = folder / "installed"
    wanted = fingerprint(*locks, copy=copy)
    if stamp.is_file() and wanted in stamp.read_text():
        return
    print(f"setting up {folder.name} (once) ...", file=sys.stderr, flush=True)
    home = folder / "home"
    if not home.is_file() or home.read_text() != str(ROOT):
        _run(folder, sys.executable, "-I", "-m", "venv", "--without-pip", "--clear", str(folder))
        home.write_text(str(ROOT))
    _install(folder, "--require-hashes", *(word for lock in locks for word in ("-r", str(_lock(lock)))))
    _install(folder, "--no-build-isolation", "--no-deps", *(() if copy else ("--editable",)), str(ROOT))
    with stamp.open("a") as file:
        file.write(f"{wanted}\n")


def fingerprint(*locks: str, copy: bool = False) -> str:
    """Return what tells apart two environments: the packages in it and, where it holds a copy, the project itself."""
    files = [*map(_lock, locks), ROOT / "pyproject.toml"]
    if copy:
        found = (file for package in _PACKAGES for file in sorted((ROOT / package).rglob("*")))
        files += [file for file in found if file.suffix in _SUFFIXES]
        names = [file.relative_to(ROOT).as_posix() for file in files]
    else:  # scripts in an environment name its folder, so one that was moved or copied has to be made anew
        names = [str(ROOT)]
    contents = (file.read_bytes() for file in files)
    return hashlib.sha256(b"\0".join([*(name.encode() for name in names), *contents])).hexdigest()


def _lock(name: str) -> Path:
    return ROOT / "requirements" / name


def _scripts(folder: Path) -> Path:
    return folder / ("Scripts" if os.name == "nt" else "bin")


def _install(folder: Path, *arguments: str) -> None:
    python = command("python", folder)
    _run(folder, sys.executable, "-I", "-m", "pip", "--python", python, "install", "--quiet", "--no-input", *arguments)


def _run(folder: Path, *arguments: str) -> None:
    # uv_build looks for its own program on the path. Whoever calls may have Python look for modules elsewhere, and a
    # file in the current folder may have the name of one: neither is ours to run.
    path = f"{_scripts(folder)}{os.pathsep}{os.environ.get('PATH', '')}"
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    environment = {**inherited, "PATH": path, "PIP_DISABLE_PIP_VERSION_CHECK": "1"}
    done = subprocess.run(arguments, env=environment, cwd=ROOT, check=False)
    if done.returncode:
        sys.exit(f"setting up failed; the command was: {' '.join(arguments)}")
