"""Writes the workflows that people copy into a folder, where linters can read them."""

from __future__ import annotations

import sys
from pathlib import Path

import environment


def main() -> None:
    """Write one for each app into the folder named, one for all of them, and those that publish and take in forms."""
    sys.path.insert(0, str(environment.ROOT))
    from connectors import registry
    from sync.cli import workflow_template

    apps = [*registry.installed()]
    for chosen in (*([app] for app in apps), apps):
        path = Path(sys.argv[1]) / f"{'-'.join(chosen)}.yml"
        path.write_text(workflow_template.text("goals.yaml", chosen), encoding="utf-8")
    for place in workflow_template.PLACES:
        path = Path(sys.argv[1]) / f"publish-{place}.yml"
        path.write_text(workflow_template.text("goals.yaml", ["markdown"], place, forms=True), encoding="utf-8")


if __name__ == "__main__":
    main()
