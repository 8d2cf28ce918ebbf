"""Issues with our label and without a marker: a user may have replaced their text."""

from __future__ import annotations

from typing import TYPE_CHECKING

from connectors.github.closing import DONE, NOT_PLANNED
from connectors.model import Stray

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Sequence

    from connectors.github.issue import Issue
    from connectors.model import Content


def strays(
    issues: Sequence[Issue], label: str, ours: Collection[str], content: Callable[[Issue, None], Content]
) -> Iterator[Stray]:
    """Yield those of the issues with our label that have no marker of anybody; `ours` are the numbers of our own."""
    labelled = [issue for issue in issues if label.casefold() in map(str.casefold, issue.labels)]
    unmarked = [issue for issue in labelled if not issue.body.marker and issue.number not in ours]
    names = {issue.number: f"#{issue.number}" for issue in unmarked}
    below: dict[str, list[str]] = {}
    for issue in issues:
        below.setdefault(issue.parent, []).append(names.get(issue.number, issue.number))
    for issue in unmarked:
        yield Stray(
            names[issue.number],
            content(issue, None),
            done=not issue.open and issue.reason in DONE,
            dropped=not issue.open and issue.reason in NOT_PLANNED,
            parent=names.get(issue.parent, issue.parent),
            below=tuple(below.get(issue.number, ())),
            native_id=issue.number,
        )
