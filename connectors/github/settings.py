"""The settings of a repository in the goals file, under `github:`, and the token that it needs."""

from __future__ import annotations

from typing import Annotated, ClassVar

from pydantic import AfterValidator, Field, StringConstraints

from config import goal_form
from config.settings import Credential
from connectors.options import Options

LONGEST_LABEL = 50
_TARGET_DATE, _START_DATE = "Target date", "Start date"  # as GitHub names them in a new organization
CREDENTIAL = Credential(
    "GitHub",
    "GITHUB_TOKEN",
    "in a workflow, write `env: {GITHUB_TOKEN: ${{ github.token }}}`; elsewhere make one in Settings > Developer "
    "settings > Fine-grained tokens, with Issues: read and write on the repository,",
    "GITHUB_API_URL",
    "https://api.github.com",
    permissions={"issues": "write"},
)


def _no_form(label: str) -> str:
    """Refuse the label of forms: whoever fills one in gives it to an issue."""
    if label.casefold() == goal_form.LABEL:
        raise ValueError("the label of the form for a new goal")
    return label


_Word = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)]


class GitHubOptions(Options):
    """Where issues go on GitHub, and what else shows the plan there."""

    example: ClassVar[str] = "{repo: me/goals}"
    host: ClassVar[str] = "github"
    repo: str = Field(
        pattern=r"^[A-Za-z0-9][A-Za-z0-9-]{0,38}/[A-Za-z0-9._-]{1,100}$",
        description="the owner and the name of a repository, such as me/goals",
    )
    label: Annotated[_Word, AfterValidator(_no_form)] = Field(
        "backplan",
        max_length=LONGEST_LABEL,
        description=f"a word of at most {LONGEST_LABEL} characters, other than {goal_form.LABEL}",
    )
    milestone: bool = Field(False, description="true or false: whether each goal is a milestone, too")
    mentions: bool = Field(
        False, description="true or false: whether names, links and Markdown in the goals file are meant as such"
    )
    dependencies: bool = Field(
        False, description="true or false: whether the issues of the steps before it block a step's issue"
    )
    project: int | None = Field(None, ge=1, description="the number of a project of the repository's owner")
    date_field: _Word = Field("Due", description="the name of a date field of that project")
    target_date_field: _Word = Field(
        _TARGET_DATE, description="the name of a date field that the organization gives its issues"
    )
    start_date_field: _Word = Field(
        _START_DATE, description="the name of a date field that the organization gives its issues"
    )

    @property
    def place(self) -> str:
        """The repository."""
        return self.repo

    @property
    def date_fields(self) -> tuple[str, str]:
        """The names of the fields for the due date and the start."""
        return self.target_date_field, self.start_date_field

    @property
    def own_fields(self) -> list[str]:
        """The fields that the goals file names; those that GitHub names itself may be absent."""
        return [name for name in self.date_fields if name not in (_TARGET_DATE, _START_DATE)]
