"""The data of pages and calendars besides dates, and the paths of a site."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from hashlib import sha256
from typing import TYPE_CHECKING
from urllib.parse import quote

from config.keys import goal_of, is_in_goal

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sync.run.deadline_history import Moved

FOLDER = "goal"  # of the pages of goals
_PLAIN_ID = re.compile(r"[a-z0-9]+([-_.][a-z0-9]+)*")


@dataclass(frozen=True, slots=True)
class Publishing:
    """The data of the page and the calendars besides dates.

    - `histories`: all deadlines of each goal, old and current, by its id.
    - `url`: the address of the site, for the links of a calendar.
    - `alarms`: in a calendar, each step has an alarm at nine on its first day.
    - `tasks`: in a calendar, steps are tasks as well, for the few apps that read tasks from a calendar.
    - `script`: runs on each page.
    """

    histories: Mapping[str, Sequence[Moved]] = field(default_factory=dict)
    url: str = ""
    alarms: bool = False
    tasks: bool = False
    script: str = ""


AS_IT_IS = Publishing()


def path_of(key: str) -> str:
    """Return the path of the page of a goal in the site, or of a step on it."""
    page = f"{FOLDER}/{file_name(goal_of(key))}.html"
    return f"{page}#{fragment(key)}" if is_in_goal(key) else page


def file_name(goal_id: str) -> str:
    """Return the name of a goal's page without its ending, which is valid in any file system."""
    return goal_id if _PLAIN_ID.fullmatch(goal_id) else f"goal-{sha256(goal_id.encode()).hexdigest()[:12]}"


def fragment(key: str) -> str:
    """Return the part of a link after `#`: the id of the element."""
    return quote(key, safe="/@")
