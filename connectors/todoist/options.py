"""The settings of a place in the goals file, under `todoist:`, and the token that it needs."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import Field, StringConstraints

from config.settings import Credential
from connectors.options import Options

CREDENTIAL = Credential(
    "Todoist",
    "TODOIST_API_TOKEN",
    "in Todoist, open Settings > Integrations > Developer, copy the API token",
    "TODOIST_API_URL",
    "https://api.todoist.com",
)
_Name = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=120)]


class TodoistOptions(Options):
    """Where tasks go in Todoist; the first sync makes what is not there."""

    example: ClassVar[str] = "{project: Career}"
    project: _Name = Field("Goals", description="the name (or id) of a project, such as Career")
    dates: Literal["due", "start"] = Field(
        "due", description="`due` or `start`: which day of its step is a task's date, the last or the first"
    )
    section: _Name | None = Field(None, description="the name (or id) of a section of it, such as This year")

    @property
    def place(self) -> str:
        """The project, and the section in it."""
        return f"{self.project}/{self.section}" if self.section else self.project
