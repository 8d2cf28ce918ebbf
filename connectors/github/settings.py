"""The settings of a repository in the goals file, under `github:`."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from config.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Mapping

LONGEST_LABEL = 50
_LABEL = "backplan"
_DATE_FIELD = "Due"
_TARGET_DATE, _START_DATE = "Target date", "Start date"  # as GitHub names them in a new organization
_REPO = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,38})/[A-Za-z0-9._-]{1,100}")
_KINDS: dict[str, type] = {
    "repo": str,
    "label": str,
    "milestone": bool,
    "mentions": bool,
    "dependencies": bool,
    "project": int,
    "date_field": str,
    "target_date_field": str,
    "start_date_field": str,
}


@dataclass(frozen=True, slots=True)
class Settings:
    """What the goals file sets for one repository.

    - `label`: the label of all issues of ours.
    - `milestone`: each goal is a milestone, too.
    - `mentions`: names, links and Markdown in the goals file are meant as such.
    - `dependencies`: what comes before a step blocks its issue.
    - `project`: the number of a project of the repository's owner, whose `date_field` shows dates, too.
    - `target_date_field`, `start_date_field`: date fields that an organization gives its issues.
    """

    repo: str
    label: str = _LABEL
    milestone: bool = False
    mentions: bool = False
    dependencies: bool = False
    project: int | None = None
    date_field: str = _DATE_FIELD
    target_date_field: str = _TARGET_DATE
    start_date_field: str = _START_DATE

    @classmethod
    def read(cls, options: Mapping[str, Any]) -> Settings:
        """Return the settings of a goals file. Raises InputError for the first that is wrong."""
        for name, value in options.items():
            if type(value) is not _KINDS.get(name) or (value == 0 and type(value) is int):  # `true` is no number
                raise InputError(
                    f"github: `{name}: {value}` is not a valid option; expected repo (such as me/goals), label (a "
                    "word), milestone, mentions and dependencies (true or false), project (a number), date_field (the "
                    "name of a date field there), target_date_field and start_date_field (names of date fields that "
                    "the organization gives its issues)"
                )
        repo = options.get("repo", "")
        if not _REPO.fullmatch(repo):
            problem = f"`{repo}` is no repository" if repo else "the repository is missing"
            raise InputError(f"github: {problem}; write its owner and its name, such as {{repo: me/goals}}")
        settings = cls(**options)
        if not 0 < len(settings.label.strip()) <= LONGEST_LABEL:
            raise InputError(f"github: `label` is a word of at most {LONGEST_LABEL} characters")
        return settings

    @property
    def date_fields(self) -> tuple[str, str]:
        """The names of the fields for the due date and the start."""
        return self.target_date_field, self.start_date_field

    @property
    def own_fields(self) -> list[str]:
        """The fields that the goals file names; those that GitHub names itself may be absent."""
        return [name for name in self.date_fields if name not in (_TARGET_DATE, _START_DATE)]
