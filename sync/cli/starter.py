"""The files of a repository to start from on GitHub, which `init --github` writes and `config/starter` has."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import config
from config import goal_form
from sync.cli import workflow_template

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

FOLDER = Path(config.__file__).parent / "starter"
README = "README.md"


def files(goals: str, apps: Collection[str], publish: str | None, templates: Mapping[str, str]) -> dict[str, str]:
    """Return the texts of the files beside the goals file, by their paths in the repository.

    goals: the path of the goals file. apps, publish: as for the workflow. templates: titles by name, for the form.
    """
    return {
        workflow_template.PATH: workflow_template.text(goals, apps, publish, forms=True),
        goal_form.PATH: goal_form.text(templates),
        README: (FOLDER / README).read_text("utf-8"),
    }
