"""Keys: the stable names of tasks. The only place that takes one apart.

| key | names |
|---|---|
| `move` | a goal |
| `move/permit` | a step of it |
| `move/papers/` | a group of steps |
| `move/call@2027-03-08` | one occurrence of a step that repeats, by the day on which it is due |
| `backplan.heartbeat` | the heartbeat, which no goal has: no goal's id has a dot |
"""

from __future__ import annotations

import re
import unicodedata
from datetime import date
from functools import lru_cache

HEARTBEAT = "backplan.heartbeat"
MAX_SLUG = 60


def goal_of(key: str) -> str:
    """Return the id of the goal that a key belongs to; a goal's own key is its own."""
    return key.partition("/")[0]


def within_goal(key: str) -> str:
    """Return a key without its goal; empty for the goal itself."""
    return key.partition("/")[2]


def is_in_goal(key: str) -> bool:
    """Return whether a key names a part of a goal, and not a goal itself."""
    return "/" in key


def is_group(key: str) -> bool:
    """Return whether a key is that of a group."""
    return key.endswith("/")


def is_occurrence(key: str) -> bool:
    """Return whether a key is that of an occurrence."""
    return "@" in key


def step_of(key: str) -> str:
    """Return the key of the step that an occurrence repeats; a step's own key is its own."""
    return key.partition("@")[0]


def day_of(key: str) -> date:
    """Return the day on which an occurrence is planned, which its key ends in."""
    return date.fromisoformat(key.partition("@")[2])


@lru_cache(maxsize=4096)  # the titles of a template's steps are those of every account of a fleet
def slug(title: str) -> str:
    """Return the id that a title gives: its letters and digits in any script, accents dropped, joined by hyphens."""
    decomposed = unicodedata.normalize("NFKD", title)
    bare = "".join(c for c in decomposed if not unicodedata.combining(c)).lower()
    plain = unicodedata.normalize("NFC", bare)  # Hangul is put together again
    words = "-".join(re.findall(r"[^\W_]+", plain.replace("'", "").replace("’", "")))
    return words if len(words) <= MAX_SLUG else words[:MAX_SLUG].rpartition("-")[0] or words[:MAX_SLUG]
