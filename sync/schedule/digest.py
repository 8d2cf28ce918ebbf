"""The timing digest: a short text that changes whenever the dates of a goal have to be planned anew."""

from __future__ import annotations

from base64 import b32encode
from hashlib import sha256
from operator import attrgetter
from typing import TYPE_CHECKING

from config.durations import Duration
from config.keys import is_occurrence
from config.project import Countdown, Link, person

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from config.project import Step
    from sync.schedule.lengths import Length
    from sync.schedule.model import Progress
    from sync.schedule.step_graph import StepGraph


def timing_digest(
    graph: StepGraph,
    lengths: Sequence[Length],
    pins: Mapping[int, int],
    external: Mapping[int, int],
    progress: Progress,
    capacity: Mapping[int, int],
) -> str:
    """Return the digest of everything that decides a goal's dates, except progress and the day it is.

    capacity: how many steps the person of each step can have at once, if that may move it.

    After a dot, it names the steps with pins: see `was_pinned`.
    """
    goal, window = graph.goal, graph.window
    calendar = goal.calendar
    parts = (
        window.deadline,
        window.limit,
        sorted(calendar.workdays),
        calendar.holidays,
        calendar.days_off,
        goal.when_late,
        sorted((graph.steps[i].key, day) for i, day in pins.items()),
        sorted((graph.steps[i].key, day) for i, day in external.items()),
        sorted(key for key in progress.dropped if key.startswith(f"{goal.id}/") and not is_occurrence(key)),
        *((graph.steps[i].key, _spelt(graph.steps[i].takes)) for i in graph.repeating),
        *((graph.steps[i].key, person(graph.steps[i], goal), most) for i, most in sorted(capacity.items())),
    )
    digest = sha256(repr(parts).encode())
    for line in sorted(map(_timing, graph.steps, lengths)):
        digest.update(line.encode())
    marks = "".join(sorted(_mark(graph.steps[i].key) for i in pins))
    return b32encode(digest.digest()[:10]).decode()[:10].lower() + (f".{marks}" if marks else "")


def is_same_timing(one: str, other: str) -> bool:
    """Return whether two digests are of the same timing; those of earlier versions name no pins."""
    return one.partition(".")[0] == other.partition(".")[0]


def was_pinned(digest: str, key: str) -> bool:
    """Return whether a step had a pin when the digest was made. Such a pin counts as long as that plan stands."""
    marks = digest.partition(".")[2]
    return _mark(key) in (marks[at : at + _MARK] for at in range(0, len(marks), _MARK))


_MARK = 3


def _mark(key: str) -> str:
    return b32encode(sha256(key.encode()).digest()[:2]).decode()[:_MARK].lower()


def _timing(step: Step, length: Length) -> str:
    """Return a line of text with all that decides a step's dates, the same however it is written in the file."""
    words = [step.key, _spelt(length), *sorted(map(_spelt, step.after))]
    values = _timed(step)
    if any(values):
        words += [f"{name} {_spelt(value)}" for name, value in zip(_TIMED, values, strict=True) if value]
    return " ".join(words) + "\n"


_TIMED = ("after_goals", "on", "by", "not_before", "before", "afterwards", "every", "optional")
_timed = attrgetter(*_TIMED)


def _spelt(value: object) -> str:
    if isinstance(value, Link):
        return value.key if value.wait is None else f"{value.key} + {_spelt(value.wait)}"
    if isinstance(value, Duration):
        return f"{value.amount} {value.unit.value}"
    if isinstance(value, Countdown):
        return f"{_spelt(value.by)} before {value.key}"
    return ", ".join(sorted(map(_spelt, value))) if isinstance(value, tuple) else str(value)
