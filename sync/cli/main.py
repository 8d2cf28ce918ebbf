"""The first steps of the `backplan` command, before anything slow is imported."""

from __future__ import annotations

import gc
import os
import sys
from pathlib import Path


def main() -> None:
    """Run the command line and exit with its code."""
    # A run is short and makes hardly any cycles; the collector took a third of the time.
    gc.disable()
    # To search all installed packages for plugins of pydantic takes longer than to read a goals file.
    os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")
    _refuse_shadowed()
    if sys.argv[1:] == ["--version"]:
        from sync.reports import safe_output

        sys.exit(safe_output.run(_print_version))
    from sync.cli.app import run

    sys.exit(run())


def _print_version() -> int:
    from importlib.metadata import version

    print(f"backplan {version('backplan')}")
    return 0


def _refuse_shadowed() -> None:
    """Stop if the user's own `config` or `connectors` is imported instead of ours, as with PYTHONPATH=."""
    import config
    import connectors

    house = Path(__file__).parents[2]
    for package in (config, connectors):
        found = Path(package.__file__ or "")
        if found.parent.parent != house:
            print(
                f"error: Python found another module named `{package.__name__}` before backplan's own: {found}. "
                "Unset PYTHONPATH, or run backplan from an environment of its own (`uv tool install`, `pipx install`).",
                file=sys.stderr,
            )
            sys.exit(64)


if __name__ == "__main__":
    main()
