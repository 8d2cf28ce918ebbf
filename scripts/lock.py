"""Locks all packages with their hashes and no addresses: to run, to build, to develop, to compare. Needs uv."""

from __future__ import annotations

import subprocess

import environment

LOCKS = {
    "runtime.txt": ["pyproject.toml", "--extra", "risk"],
    "dev.txt": ["pyproject.toml", "--extra", "risk", "--group", "dev"],
    "build.txt": ["requirements/build.in"],
    "readers.txt": ["requirements/readers.in"],
}


def main() -> None:
    """Write the lock files."""
    for name, sources in LOCKS.items():
        options = [
            "--universal",
            "--generate-hashes",
            "--no-emit-index-url",
            "--python-version",
            "3.11",
            "--upgrade",
        ]
        header = ["--custom-compile-command", "python3 scripts/lock.py"]
        output = ["--quiet", "--output-file", f"requirements/{name}"]
        subprocess.run(["uv", "pip", "compile", *sources, *options, *header, *output], cwd=environment.ROOT, check=True)


if __name__ == "__main__":
    main()
