"""Writes the files of `config/starter`, the repository to start from, as `backplan init --github` would."""

from __future__ import annotations

import sys

import environment


def main() -> None:
    """Write those that depend on the code; the README and the goals file are written by hand."""
    sys.path.insert(0, str(environment.ROOT))
    from sync.cli import starter
    from sync.cli.init_file import templates

    for name, text in starter.files("goals.yaml", ["markdown"], None, templates()).items():
        path = starter.FOLDER / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8", newline="")


if __name__ == "__main__":
    main()
