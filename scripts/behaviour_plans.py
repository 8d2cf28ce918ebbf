"""Goals files for `behaviour.py`: random ones with all that the format holds, some with mistakes, and later edits.

All functions take a `random.Random`, so that the same seed gives the same text. A change here makes every recording
that was made before useless: record again at the commit to compare with.
"""

from __future__ import annotations

import re
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

import yaml

if TYPE_CHECKING:
    from collections.abc import Callable
    from random import Random

TODAY = date(2027, 7, 20)
_WORDS = ("Write", "Paint", "Ask", "Book", "Read", "Zählen", "Order", "Test: it", "Send #5", "Pack 📦", "Sign")
_DURATIONS = ("1 day", "3 days", "5d", "8", "0", "1 week", "2w", "1 month", "5 calendar days", "2-3-6 days", "20%")
_LENGTHS = ("1 day", "2 days", "1 week", "3 calendar days")
_DAYS_OF_WEEK = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_PRIORITIES = ("urgent", "high", "medium", "none")
_MISTAKES: tuple[tuple[str, str], ...] = (
    ("title:", "titel:"),
    ("title: ", "title: 20"),
    ("takes: ", "takes: a "),
    (" days", " hours"),
    ("deadline: 2027", "deadline: 20271"),
    ("deadline: ", "deadline: next "),
    ("priority: ", "priority: very "),
    ("after:", "after: [nowhere] #"),
    ("steps:", "steps: &a"),
    ("steps:\n", "steps:\n\t"),
    ("goals:", "goal:"),
    ("id: ", "id: UPPER "),
    ("optional: true", "optional: maybe"),
    ("calendar:", "calendar: {workdays: [someday]} #"),
    (": ", ":"),
    ("- ", "-"),
)


def goals_file(dice: Random) -> str:
    """Return the text of a goals file; one in six has a mistake that was put in on purpose."""
    goals = [_goal(dice, number) for number in range(dice.choice((1, 1, 2, 2, 3, 4)))]
    file = {**_settings(dice), "goals": goals}
    flow = dice.choice((None, False, False))
    text: str = yaml.safe_dump(file, allow_unicode=True, sort_keys=False, default_flow_style=flow, width=100)
    return _with_mistake(dice, text) if dice.random() < 1 / 6 else text


def edited(dice: Random, text: str) -> str:
    """Return a goals file as its owner leaves it after one change: of a day, a length, a title or a line."""

    def later(found: re.Match[str]) -> str:
        return str(date.fromisoformat(found[0]) + timedelta(dice.randint(-10, 30)))

    changes: tuple[tuple[str, Callable[[re.Match[str]], str]], ...] = (
        (r"(?<=deadline: )\d{4}-\d\d-\d\d", later),
        (r"\d{4}-\d\d-\d\d", later),
        (r"(?<=takes: )\d(?= days)", lambda found: str(int(found[0]) + 1)),
        (r"(?<=title: )[A-Z]", lambda found: f"Really {found[0]}"),
        (r"\n +optional: true", lambda _: ""),
    )
    pattern, change = dice.choice(changes[:1] + changes)
    places = list(re.finditer(pattern, text))
    if not places:
        return text
    found = dice.choice(places)
    return text[: found.start()] + change(found) + text[found.end() :]


def _with_mistake(dice: Random, text: str) -> str:
    right, wrong = dice.choice([pair for pair in _MISTAKES if pair[0] in text])
    places = [found.start() for found in re.finditer(re.escape(right), text)]
    at = dice.choice(places)
    return text[:at] + wrong + text[at + len(right) :]


def _settings(dice: Random) -> dict[str, Any]:
    """Return the keys of the file besides its goals."""
    return _some(
        dice,
        0.25,
        version=1,
        namespace="me/plans",
        timezone="Europe/Lisbon",
        calendar=_calendar(dice),
        when_late=dice.choice(("squeeze", "keep", "fail")),
        prune=dice.choice(("remove", "keep")),
        on_delete=dice.choice(("drop", "recreate")),
        heartbeat="3 days",
        capacity=dice.randint(1, 3),
        sync=[{"markdown": {"file": "tasks.md"}}],
    ) | {"calendars": {"weekends": {"workdays": ["sat", "sun"]}, "office": _calendar(dice)}}


def _goal(dice: Random, number: int) -> dict[str, Any]:
    due = TODAY + timedelta(dice.choice((-5, 4, 15, 30, 45, 60, 90, 150, 240)) + dice.randint(0, 9))
    deadline: Any = due
    if number and dice.random() < 0.3:
        deadline = {"before": f"g{dice.randrange(number)}", "by": dice.choice(_LENGTHS)}
    said = {"id": f"g{number}", "title": f"{_title(dice)} goal {number}", "deadline": deadline}
    said |= _some(
        dice,
        0.15,
        why="It matters",
        done_when="Anybody can see it",
        start=TODAY - timedelta(dice.randint(-9, 20)),
        at_least=dice.choice(_LENGTHS),
        buffer=dice.choice((*_LENGTHS, "10 days")),
        calendar=dice.choice(("weekends", "office")),
        labels=["work", "big one"],
        priority=dice.choice(_PRIORITIES),
        who=dice.choice(("jasmine", "rui")),
        link="https://example.org/plan",
        notes="Two lines\nof notes",
        when_late=dice.choice(("squeeze", "keep", "fail")),
    )
    if dice.random() < 0.05:
        return said | {"template": dice.choice(("wedding", "food-handler", "conference-talk"))}
    word = dice.choice(("steps", "steps", "steps", "backwards"))
    made = _Steps(dice, number, word, others=number > 0 and deadline == due)
    return said | {word: made.some(dice.randint(0, 6), depth=0)} | _some(dice, 0.03, done=TODAY)


class _Steps:
    """Makes the steps of one goal. They refer to steps and groups made before them, so that hardly a circle arises."""

    def __init__(self, dice: Random, goal: int, word: str, *, others: bool) -> None:
        """others: they may come after the goal made before this one, or after a step of it."""
        self._dice, self._goal, self._word, self._others = dice, goal, word, others
        self._known: list[str] = []
        self._count = 0

    def some(self, count: int, depth: int) -> list[Any]:
        return [self._group(depth) if self._dice.random() < 0.15 and depth < 2 else self._step() for _ in range(count)]

    def _group(self, depth: int) -> dict[str, Any]:
        name = self._name()
        said = {"id": name, "title": f"{_title(self._dice)} part"} | _some(
            self._dice, 0.3, parallel=True, **self._after(), notes="Together", labels=["part"], optional=True
        )
        within = {self._word: self.some(self._dice.randint(1, 3), depth + 1)}
        self._known.append(name)
        return said | within

    def _step(self) -> str | dict[str, Any]:
        dice, name = self._dice, self._name()
        if dice.random() < 0.1:
            return f"{_title(dice)} {name} {self._goal}"
        day = TODAY + timedelta(dice.randint(-3, 90))
        said: dict[str, Any] = {"id": name, "title": f"{_title(dice)} {name}"}
        said |= {"takes": dice.choice(_DURATIONS)} if dice.random() < 0.7 else {}
        said |= _some(dice, 0.15, wait=dice.choice((*_LENGTHS, "-1 day")), **self._after())
        said |= dice.choice(({}, {}, {}, {}, {}, {}, *self._timings(day)))
        said |= _some(
            dice,
            0.12,
            optional=True,
            notes="More to know",
            link="https://example.org/step",
            labels=["errand"],
            priority=dice.choice(_PRIORITIES),
            who=dice.choice(("jasmine", "rui")),
            checklist=["Bring the form", "Bring a pen"],
        )
        if dice.random() < 0.06:
            said |= {"done": TODAY - timedelta(dice.randint(0, 9))}
        self._known.append(name)
        return said

    def _timings(self, day: date) -> tuple[dict[str, Any], ...]:
        every = self._dice.choice(("day", "week", "2 weeks", "month", self._dice.sample(_DAYS_OF_WEEK, 2)))
        known = self._dice.choice(self._known) if self._known else None
        return (
            {"on": day},
            {"by": day},
            {"from": day},
            {"before": self._dice.choice(_LENGTHS)},
            {"before": {"step": known, "by": "2 days"}} if known else {},
            {"afterwards": self._dice.choice(_LENGTHS)},
            {"every": every, "takes": "1 day"},
        )

    def _after(self) -> dict[str, list[Any]]:
        dice = self._dice
        if self._word == "backwards" and dice.random() < 0.9:  # what was made before comes after
            return {}
        found: list[Any] = dice.sample(self._known, min(len(self._known), dice.randint(0, 2)))
        if found and dice.random() < 0.3:
            found[0] = {"step": found[0], "wait": dice.choice(_LENGTHS)}
        if self._others and dice.random() < 0.3:
            found.append(dice.choice((f"g{self._goal - 1}", f"g{self._goal - 1}/s1")))
        return {"after": found}

    def _name(self) -> str:
        self._count += 1
        return f"s{self._count}"


def _calendar(dice: Random) -> dict[str, Any]:
    off = [TODAY + timedelta(dice.randint(0, 60)), "2027-08-09..2027-08-13"]
    return {"workdays": list(_DAYS_OF_WEEK[: dice.randint(3, 6)])} | _some(
        dice, 0.5, holidays=dice.choice(("PT", "US-NY")), days_off=off
    )


def _title(dice: Random) -> str:
    return dice.choice(_WORDS)


def _some(dice: Random, share: float, **said: Any) -> dict[str, Any]:
    """Return each of the keys with a chance of `share`."""
    return {key: value for key, value in said.items() if dice.random() < share}
