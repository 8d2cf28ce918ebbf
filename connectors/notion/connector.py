"""Notion: goals and steps are pages of a database, their fields its columns; the marker is in a column of its own."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any, ClassVar

from pydantic import Field

from config.errors import BackplanError, MissingError, RefusedError
from config.settings import Credential
from connectors import stored
from connectors.base import Capabilities, Check
from connectors.http import Rate, Service
from connectors.notion.columns import TYPES, Column, Columns
from connectors.options import Options
from connectors.pages import by_token, listed
from connectors.service import ServiceConnector
from connectors.shapes import Moment, Shape, understood
from connectors.snapshot import OwnField, Row
from connectors.tasks import TEXT, Limits

if TYPE_CHECKING:
    import requests

    from connectors.http import Api
    from connectors.model import Content
    from connectors.snapshot import Hiding
    from connectors.tasks import Wanted

_LIMITED = (429, 529)
NOTION = Service(
    Credential(
        "Notion",
        "NOTION_TOKEN",
        "in Notion's developer portal (notion.so/profile/integrations), make a personal access token or a connection",
        "NOTION_URL",
        "https://api.notion.com",
    ),
    headers={"Notion-Version": "2025-09-03"},
    limited=lambda response: response.status_code in _LIMITED,
    rest=30.0,  # seconds; the duration of a limit is in most answers
    rates=(Rate(5, 2.0),),  # of three requests in a second
    rights="the capabilities to read, insert and update content",
)
_ID = re.compile(r"[0-9a-f]{8}-?(?:[0-9a-f]{4}-?){3}[0-9a-f]{12}")
_PAGES = by_token("results", "next_cursor", "start_cursor")
_ALL = frozenset({"title", "due", "labels", "priority", "notes"})


def _column(default: str, what: str) -> Any:
    return Field(default, min_length=1, description=f"the name of a column ({' or '.join(TYPES[what])})")


class NotionOptions(Options):
    """The table of pages, and its columns; the first sync creates those that do not exist."""

    example: ClassVar[str] = "{database: 0123456789abcdef0123456789abcdef}"
    database: str = Field(pattern=_ID.pattern, description="the address of a database, or its id of 32 characters")
    due: str = _column("Due", "due")
    done: str = _column("Done", "done")
    labels: str = _column("Labels", "labels")
    priority: str = _column("Priority", "priority")
    notes: str = _column("Notes", "notes")
    marker: str = _column("backplan", "marker")

    @property
    def place(self) -> str:
        """The id of the database."""
        return "".join(_ID.findall(self.database)[:1]).replace("-", "")

    @property
    def columns(self) -> dict[str, str]:
        """The names of the columns, by what they hold."""
        return {what: getattr(self, what) for what in TYPES}


class _Id(Shape):
    id: str


class _Source(_Id):
    name: str


class _Database(Shape):
    data_sources: list[_Source]


class _Table(_Id):
    properties: dict[str, Any]


class _User(_Id):
    name: str | None = None


class _Parent(Shape):
    data_source_id: str | None = None


class _Page(_Id):
    created_time: str
    last_edited_time: Moment
    last_edited_by: _Id
    in_trash: bool
    parent: _Parent
    properties: dict[str, Any]


class _Blocks(Shape):
    results: list[_Id]


class Notion:
    """The pages of one table over HTTP. Each method sends one request."""

    name: ClassVar[str] = "notion"
    capabilities: ClassVar[Capabilities] = Capabilities(
        frozenset({"title", "start", "due", "notes", "labels", "priority"}), "safe"
    )
    http: ClassVar[Service] = NOTION
    limits: ClassVar[Limits] = Limits(title=1000, text=20_000, settles=5.0)
    hiding: ClassVar[Hiding] = OwnField()
    remedy: ClassVar[str] = f"Restore the page “{stored.TITLE}” from the trash"

    def __init__(self, options: NotionOptions, api: Api) -> None:
        self._api, self._options = api, options
        self._me = ""
        self._table = ""  # the id of the data source
        self._columns = Columns({}, {})

    @staticmethod
    def canonical(content: Content) -> Content:
        """Return content as columns hold it: a first day only before the last one, and labels without commas."""
        starts = content.start and content.due and content.start < content.due
        labels = {" ".join(label.replace(",", " ").split()) for label in content.labels} - {""}
        return replace(content, start=content.start if starts else None, labels=tuple(sorted(labels)))

    def account(self) -> frozenset[str]:
        """Return the name of the connection or the user; find the table and its columns."""
        with understood("Notion", "the token and the table"):
            user = _User.read(self._api.ask("GET", "/v1/users/me").json())
            table = _Table.read(self._found_table().json())
            columns = [Column.read({"name": name, **one}) for name, one in table.properties.items()]
            self._columns = Columns.of(columns, self._options.columns)
        self._me, self._table = user.id, table.id
        return frozenset({user.name or user.id})

    def rows(self, *, whole: bool = False) -> list[Row]:
        """Return the pages with our marker, or all; none before the table has our columns."""
        query: dict[str, Any] = {"page_size": 100}
        if self._columns.missing:
            self._refuse_renamed()
            return []
        if not whole:
            query["filter"] = {"property": self._options.marker, "rich_text": {"is_not_empty": True}}
        with understood("Notion", "the pages"):
            return [self._row(_Page.read(one)) for one in self._query(query)]

    def row(self, native_id: str) -> Row | None:
        """Return a page by its id; None if it is in the trash, or in another table."""
        if not _ID.fullmatch(native_id) or self._columns.missing:
            return None
        answer = self._api.ask("GET", f"/v1/pages/{native_id}")
        with understood("Notion", "a page"):
            page = _Page.read(answer.json())
            return None if page.in_trash or page.parent.data_source_id != self._table else self._row(page)

    def create(self, wanted: Wanted) -> Row:
        """Create a page, and before the first one, the missing columns."""
        if self._columns.missing:
            self._api.ask("PATCH", f"/v1/data_sources/{self._table}", body={"properties": self._columns.new})
            self.account()
        notes, line = self.hiding.split(wanted.text)
        values = self._columns.values(wanted.content, notes, _ALL) | self._columns.marker(line, touched=False)
        body = {"parent": {"data_source_id": self._table}, "properties": values}
        return self._one("POST", "/v1/pages", body, repeatable=False)

    def change(self, row: Row, wanted: Wanted, fields: frozenset[str]) -> Row:
        """Change fields of a page: its notes only if they differ, since rewriting them removes their formatting."""
        notes, line = self.hiding.split(wanted.text)
        differ = frozenset({"notes"} if TEXT in fields and notes != self.hiding.split(row.text)[0] else ())
        return self._patched(row, self._columns.values(wanted.content, notes, fields | differ), line)

    def close(self, row: Row) -> Row:
        """Complete a page."""
        return self._patched(row, self._columns.state(done=True), self.hiding.split(row.text)[1])

    def reopen(self, row: Row) -> Row:
        """Open a page again."""
        return self._patched(row, self._columns.state(done=False), self.hiding.split(row.text)[1])

    def remove(self, row: Row) -> bool:
        """Move a page to the trash, unless there is something in it, which a user wrote."""
        inside = self._api.ask("GET", f"/v1/blocks/{row.id}/children", params={"page_size": "1"})
        with understood("Notion", "the content of a page"):
            if _Blocks.read(inside.json()).results:
                return False
        return self._api.ask("PATCH", f"/v1/pages/{row.id}", body={"in_trash": True}).ok

    def keep(self, row: Row, words: str) -> None:
        """Store a text in the page itself: comments need a further right."""
        text = f"Before the goals file changed it:\n{words}"[:2000]
        block = {"paragraph": {"rich_text": [{"text": {"content": text}}]}}
        self._api.ask("PATCH", f"/v1/blocks/{row.id}/children", body={"children": [block]})

    def facts(self) -> list[Check]:
        """Return whose the token is, which columns are missing, and limits that cannot be read."""
        (name,) = self.account()
        missing = ", ".join(f"“{name}”" for name in self._columns.missing.values())
        return [
            Check("token", True, "accepted"),
            Check("account", True, name),
            Check("columns", True, f"the first sync will create {missing}" if missing else "all are there"),
            Check("limit", True, "each task is a block; free workspaces of several members have 1,000 for connections"),
            Check(
                "tried", True, "against Notion's published schema, not yet with an account: please report what you find"
            ),
        ]

    # The table, and pages

    def _found_table(self) -> requests.Response:
        """Return the answer on the table: the only one of a database, or the one with the id."""
        place = self._options.place
        try:
            answer = self._api.send("GET", f"/v1/databases/{place}")
            if not answer.ok:  # it may be the id of a table in a database
                return self._api.ask("GET", f"/v1/data_sources/{place}")
            sources = _Database.read(answer.json()).data_sources
        except MissingError:
            raise MissingError(
                f"notion ({place}): there is no such database, or the token does not see it: in Notion, open it, "
                "choose Connections in its menu, and add the connection of the token; nothing was changed"
            ) from None
        if len(sources) != 1:
            named = ", ".join(f"{one.id} (“{one.name}”)" for one in sources) or "none that the token sees"
            raise BackplanError(
                f"notion ({place}): the database has several tables, or none; write the id of one as `database:`: "
                f"{named}"
            )
        return self._api.ask("GET", f"/v1/data_sources/{sources[0].id}")

    def _query(self, query: dict[str, Any]) -> list[Any]:
        return list(listed(self._api.ask, f"/v1/data_sources/{self._table}/query", query, _PAGES, "POST"))

    def _refuse_renamed(self) -> None:
        """Raise RefusedError if columns are missing in a table that has a memory: the user has renamed them."""
        title = self._columns.found["title"].name
        query = {"page_size": 100, "filter": {"property": title, "title": {"equals": stored.TITLE}}}
        if "marker" not in self._columns.missing or self._query(query):
            names = ", ".join(f"“{name}”" for name in self._columns.missing.values())
            options = ", ".join(f"`{what}:`" for what in self._columns.missing)
            raise RefusedError(
                f"notion ({self._options.place}): the table has no column {names}, and was used by backplan before. "
                f"If you renamed it, write its new name in the goals file ({options}); otherwise, add it. Nothing was "
                "changed"
            )

    def _one(self, method: str, path: str, body: dict[str, Any], **options: Any) -> Row:
        response = self._api.ask(method, path, body=body, **options)
        with understood("Notion", "a page"):
            return self._row(_Page.read(response.json()))

    def _patched(self, row: Row, values: dict[str, Any], line: str) -> Row:
        """Change values of a page, and our line. After this, Notion does not show any more who else edited it."""
        if row.touched or line != self.hiding.split(row.text)[1]:
            values = values | self._columns.marker(line, touched=row.touched)
        return self._one("PATCH", f"/v1/pages/{row.id}", {"properties": values})

    def _row(self, page: _Page) -> Row:
        columns, values = self._columns, page.properties
        line, touched = columns.line(values)
        start, due = columns.dates(values)
        done = columns.is_done(values)
        return Row(
            page.id,
            columns.text("title", values),
            self.hiding.join(columns.text("notes", values), line),
            due,
            columns.labels(values),
            done=done,
            done_at=page.last_edited_time if done else None,
            added=f"{page.created_time} {page.id}",
            touched=touched or page.last_edited_by.id != self._me,
            start=start,
            priority=columns.priority(values),
        )


class NotionConnector(ServiceConnector, service=Notion, options=NotionOptions):
    """The pages of one table."""
