"""The columns of a table in Notion: which one holds what, and how its values are read and written."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any

from config.errors import BackplanError, RefusedError
from connectors.shapes import Shape

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from connectors.model import Content

_DETACHED = "no longer managed by backplan"  # in our column: it keeps such a page findable
_TOUCHED = "\nedited by others"  # in our column: that is known of the last edit only
_A_PIECE = 1000  # characters; Notion accepts 2,000 in a piece of text, and may count some of them twice
_PRIORITIES = ("urgent", "high", "medium")
_NEW: dict[str, Any] = {"date": {}, "checkbox": {}, "rich_text": {}, "multi_select": {}, "select": {}}
# The types that a column can have, the one that a new column gets first. A state cannot be given options.
TYPES = {
    "due": ("date",),
    "done": ("checkbox", "status"),
    "labels": ("multi_select",),
    "priority": ("select",),
    "notes": ("rich_text",),
    "marker": ("rich_text",),
}


class _Option(Shape):
    id: str
    name: str


class _Group(Shape):
    name: str
    option_ids: list[str]


class _Status(Shape):
    options: list[_Option]
    groups: list[_Group]


class _Select(Shape):
    options: list[_Option]


class Column(Shape):
    """A column; `name` is the one that people gave it."""

    name: str
    type: str
    status: _Status | None = None
    select: _Select | None = None


class _Text(Shape):
    plain_text: str


class _Dates(Shape):
    start: str
    end: str | None


class _Named(Shape):
    name: str


@dataclass(frozen=True, slots=True)
class Columns:
    """The columns of a table by what they hold, such as `due`, and those that are missing."""

    found: Mapping[str, Column]
    missing: Mapping[str, str]  # their names, by what they hold

    @classmethod
    def of(cls, table: Sequence[Column], names: Mapping[str, str]) -> Columns:
        """Choose the columns with these names. Raises RefusedError if one is of a type that cannot hold that.

        Raises ValueError if the table has no column for titles, which every table has.
        """
        by_name = {column.name: column for column in table}
        found = {what: by_name[name] for what, name in names.items() if name in by_name}
        for what, column in found.items():
            if column.type not in TYPES[what]:
                raise RefusedError(
                    f"notion: the column “{column.name}” has the type {column.type}, but `{what}:` needs "
                    f"{' or '.join(TYPES[what])}; name another column in the goals file (nothing was changed)"
                )
        (title,) = (column for column in table if column.type == "title")
        missing = {what: name for what, name in names.items() if name not in by_name}
        return cls({**found, "title": title}, missing)

    @property
    def new(self) -> dict[str, Any]:
        """The missing columns as Notion creates them."""
        return {name: {kind: _NEW[kind]} for what, name in self.missing.items() for kind in TYPES[what][:1]}

    def state(self, *, done: bool) -> dict[str, Any]:
        """Return the value of a done or open task: the first option of the last or first group of states."""
        column = self.found["done"]
        if column.status is None:
            return {column.name: {"checkbox": done}}
        groups = [group for group in column.status.groups if group.option_ids]
        if not groups:
            raise BackplanError(f"notion: the column “{column.name}” has no states; add some to it")
        return {column.name: {"status": {"id": groups[-1 if done else 0].option_ids[0]}}}

    def values(self, content: Content, notes: str, fields: frozenset[str]) -> dict[str, Any]:
        """Return the values to write: those of `fields`, also `notes`."""
        due, start = content.due, content.start
        span = {"start": (start or due), "end": due if start else None} if due else None
        priority = next((name for name in _PRIORITIES if name == content.priority), None)
        held = {
            "title": {"title": _pieces(content.title)},
            "due": {"date": {name: day and day.isoformat() for name, day in span.items()} if span else None},
            "labels": {"multi_select": [{"name": label} for label in content.labels]},
            "priority": {"select": {"name": self._option(priority)} if priority else None},
            "notes": {"rich_text": _pieces(notes)},
        }
        wanted = fields | ({"due"} if "start" in fields else frozenset())
        return {self.found[what].name: value for what, value in held.items() if what in wanted}

    def marker(self, line: str, *, touched: bool) -> dict[str, Any]:
        """Return the value of our column. touched: somebody else has edited the page."""
        return {self.found["marker"].name: {"rich_text": _pieces(f"{line or _DETACHED}{_TOUCHED if touched else ''}")}}

    def _option(self, priority: str) -> str:
        column = self.found["priority"].select
        known = (option.name for option in (column.options if column else ()))
        return next((name for name in known if name.casefold() == priority), priority.capitalize())

    # Reading

    def line(self, page: Mapping[str, Any]) -> tuple[str, bool]:
        """Return our line, empty if there is none, and whether the page is known to be edited by others."""
        text = self.text("marker", page)
        line = text.removesuffix(_TOUCHED)
        return "" if line.strip() == _DETACHED else line, line != text

    def text(self, what: str, page: Mapping[str, Any]) -> str:
        """Return a text of a page. Raises KeyError or ValueError if the page has another form."""
        column = self.found[what]
        return "".join(_Text.read(piece).plain_text for piece in page[column.name][column.type])

    def dates(self, page: Mapping[str, Any]) -> tuple[date | None, date | None]:
        """Return the first day, if there are several, and the last one. The time of day is ignored."""
        if (value := page[self.found["due"].name]["date"]) is None:
            return None, None
        dates = _Dates.read(value)
        start, end = date.fromisoformat(dates.start[:10]), date.fromisoformat((dates.end or dates.start)[:10])
        return (start if start < end else None), end

    def is_done(self, page: Mapping[str, Any]) -> bool:
        """Return whether a page is done: its state is in the last group of states."""
        column = self.found["done"]
        value = page[column.name][column.type]
        if column.status is None:
            if not isinstance(value, bool):
                raise TypeError(f"`{column.name}` is neither true nor false")
            return value
        groups = [group for group in column.status.groups if group.option_ids]
        done = {option for group in groups[-1:] for option in group.option_ids}
        names = {option.name for option in column.status.options if option.id in done}
        return value is not None and _Named.read(value).name in names

    def labels(self, page: Mapping[str, Any]) -> tuple[str, ...]:
        """Return the labels of a page, in a fixed order."""
        return tuple(sorted({_Named.read(one).name for one in page[self.found["labels"].name]["multi_select"]}))

    def priority(self, page: Mapping[str, Any]) -> str:
        """Return the priority of a page; one that backplan does not know is none."""
        value = page[self.found["priority"].name]["select"]
        name = _Named.read(value).name.casefold() if value is not None else ""
        return name if name in _PRIORITIES else "none"


def _pieces(text: str) -> list[dict[str, Any]]:
    """Return a text as Notion takes it."""
    cut = (text[at : at + _A_PIECE] for at in range(0, len(text), _A_PIECE))
    return [{"text": {"content": piece}} for piece in cut]
