"""The forms of goals and steps in a list, by their names in the goals file."""

from __future__ import annotations

from typing import TYPE_CHECKING

from connectors.caldav import event, todo

if TYPE_CHECKING:
    from connectors.caldav.component import Form

FORMS: dict[str, Form] = {"tasks": todo, "events": event}  # pyright: ignore[reportAssignmentType]  # mypy compares
