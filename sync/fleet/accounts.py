"""Reads the accounts file: who is in the fleet, from which template, and where each secret is found.

version: 1
namespace: coaching
defaults: {template: food-handler, sync: [{todoist: {project: Coaching}}], timezone: Europe/Lisbon}
accounts:
  - {id: maria, secret: env:TODOIST_MARIA, goals: people/maria.yaml}
  - {from: people.csv, secret: "file:secrets/{id}"}
"""

from __future__ import annotations

import csv
import re
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from config.errors import GoalsFileError, InputError, Place, Problem
from config.fields import Id, Namespace, Reference, Text, Zone
from config.goals import Target
from config.redaction import tokens
from config.source import MAX_BYTES, Source

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

DEFAULT_PATH = Path("accounts.yaml")
SCHEMES = ("env", "file", "keyring", "cmd")
_REFERENCE = re.compile(rf"(?:{'|'.join(SCHEMES)}):\S.*")


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, populate_by_name=True)


class Defaults(_Model):
    """What an account has unless it says otherwise itself.

    - secret: where the token of its app is found; a mapping of variables where it has several
    - settings: variables that are no secret, such as CALDAV_URL
    """

    template: Reference | None = None
    goals: Reference | None = None
    secret: Any = None  # whatever it is, no message repeats it
    settings: dict[str, Text] = Field(default_factory=dict)
    sync: list[Target] | None = None
    timezone: Zone | None = None
    with_: dict[str, Any] = Field(default_factory=dict, alias="with")


class One(Defaults):
    """One account."""

    id: Id


class Table(Defaults):
    """The accounts of a table: a column `id`, and one for each input."""

    from_: Reference = Field(alias="from")


class _File(_Model):
    version: int = Field(1, ge=1, le=1)
    namespace: Namespace | None = None
    defaults: Defaults = Defaults()
    accounts: list[dict[str, Any]]


class Written(Protocol):
    """Where an account was written."""

    def at(self, key: str = "") -> Place:
        """Return the place of one of its keys, or of the whole."""


@dataclass(frozen=True, slots=True)
class InYaml:
    """An entry of the accounts file."""

    source: Source = field(repr=False)
    index: int

    def at(self, key: str = "") -> Place:
        """Return the place of one of its keys, or of the whole."""
        path = ("accounts", self.index)
        return self.source.place_of_key((*path, key)) if key else self.source.place(path)


@dataclass(frozen=True, slots=True)
class InTable:
    """A row of a table; lines count from 1."""

    file: str
    line: int

    def at(self, key: str = "") -> Place:
        """Return the beginning of the row."""
        del key
        return Place(self.file, self.line, 1)


@dataclass(frozen=True, slots=True)
class Account:
    """One account, with the defaults of the file in place.

    secrets: a reference for each variable; the variable is empty where the account has one secret.
    """

    id: str
    written: Written = field(compare=False, repr=False)
    namespace: str
    template: str | None = None
    goals: str | None = None
    secrets: Mapping[str, str] = field(default_factory=dict)
    settings: Mapping[str, str] = field(default_factory=dict)
    sync: list[dict[str, dict[str, Any]]] | None = None
    timezone: str | None = None
    values: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Fleet:
    """The accounts of a file, and the folder in which its relative paths start. problems: accounts that are wrong."""

    folder: Path
    accounts: tuple[Account, ...]
    problems: tuple[Problem, ...] = ()


def load(path: Path | None) -> Fleet:
    """Read an accounts file. Raises GoalsFileError or InputError where the file as a whole cannot be read.

    A mistake in one account is a problem of the fleet: the other accounts run.
    """
    found = path or DEFAULT_PATH
    if not found.is_file():
        raise InputError(f"{found}: no such accounts file; docs/fleet.md shows one")
    source = Source.read(found, str(found))
    if source.problems:
        raise GoalsFileError(source.problems)
    reader = _Reader(found.parent, source, _whole(source))
    accounts = tuple(reader.accounts())
    if not accounts and not reader.problems:
        raise GoalsFileError([Problem(source.place(("accounts",)), "there is no account here yet")])
    return Fleet(found.parent, accounts, tuple(reader.problems))


def _whole(source: Source) -> _File:
    try:
        return _File.model_validate(source.value)
    except ValidationError as error:
        raise GoalsFileError([_problem(source, (), detail) for detail in error.errors(include_url=False)]) from None


def _problem(source: Source, base: tuple[str | int, ...], detail: Any) -> Problem:
    """Return pydantic's detail as a problem of the accounts file."""
    path = (*base, *(part for part in detail["loc"] if not str(part).startswith(("function-", "str", "dict["))))
    return Problem(source.place_of_key(path) if path else source.place(()), _sentence(path, detail))


def _sentence(path: tuple[str | int, ...], detail: Any) -> str:
    name = str(path[-1]) if path else "the file"
    if detail["type"] == "extra_forbidden":
        return f"the key `{name}` is not known here"
    if detail["type"] == "missing":
        return f"the key `{name}` is missing here"
    return f"`{name}`: {detail['msg']}"


class _Reader:
    """Reads the accounts of a file one by one, and collects what is wrong."""

    def __init__(self, folder: Path, source: Source, file: _File) -> None:
        self.problems: list[Problem] = []
        self._folder, self._source, self._file = folder, source, file
        self._taken: dict[str, Written] = {}

    def accounts(self) -> Iterator[Account]:
        """Yield the accounts that are well formed."""
        for index, entry in enumerate(self._file.accounts):
            written = InYaml(self._source, index)
            try:
                if "from" in entry:
                    yield from self._table(Table.model_validate(entry), written)
                elif account := self._account(One.model_validate(entry), written):
                    yield account
            except ValidationError as error:
                base = ("accounts", index)
                self.problems += [_problem(self._source, base, detail) for detail in error.errors(include_url=False)]

    def _table(self, table: Table, written: Written) -> Iterator[Account]:
        path = self._folder / table.from_
        text = self._text(path, written)
        lines = text.splitlines()
        rows = csv.DictReader(lines, dialect=_dialect(lines[0] if lines else ""), strict=True)
        names = [name.strip() for name in rows.fieldnames or ()]
        rows.fieldnames = names
        if lines and "id" not in names:
            self._add(Place(str(path), 1, 1), f"the column `id` is missing; there is {', '.join(names)}")
            return
        for row in rows:
            place = InTable(str(path), rows.line_num)
            if None in row or None in row.values():
                self._add(place.at(), f"expected {len(names)} columns, as in the first line")
            elif account := self._row(table, row, place):
                yield account

    def _text(self, path: Path, written: Written) -> str:
        """Return the text of a table; empty where it cannot be read, which is a problem."""
        try:
            with path.open("rb") as file:
                raw = file.read(MAX_BYTES + 1)
            text = raw.decode("utf-8-sig")  # spreadsheets write a byte order mark
        except (OSError, UnicodeDecodeError) as error:
            why = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
            self._add(written.at("from"), f"{path}: cannot be read: {why}")
            return ""
        if len(raw) > MAX_BYTES:
            self._add(written.at("from"), f"{path}: larger than {MAX_BYTES // 1_000_000} MB; split it")
            return ""
        for match in tokens(text):
            line = text.count("\n", 0, match.start()) + 1
            message = "this looks like a secret token; keep it out of the file, and revoke it"
            self._add(Place(str(path), line, 1), message)
        return text

    def _row(self, table: Table, row: Mapping[str, str], place: InTable) -> Account | None:
        own = {name: row[name].strip() for name in ("template", "goals", "secret", "timezone") if row.get(name)}
        base = table.model_dump(exclude={"from_"}, exclude_unset=True)
        base.pop("with_", None)
        values = {name: value.strip() for name, value in row.items() if name != "id" and name not in own}
        try:
            one = One.model_validate({**base, **own, "id": row["id"].strip(), "with": {**table.with_, **values}})
        except ValidationError as error:
            for detail in error.errors(include_url=False):
                self._add(place.at(), _sentence(detail["loc"], detail))
            return None
        return self._account(one, place)

    def _account(self, one: One, written: Written) -> Account | None:
        """Return an account with the defaults; None where it is wrong."""
        first = self._taken.setdefault(one.id, written)
        if first is not written:
            self._add(written.at("id"), f"the id `{one.id}` is taken at {first.at()}; give each account its own")
            return None
        defaults = self._file.defaults
        if not (one.template or one.goals or defaults.template or defaults.goals):
            self._add(written.at(), f"`{one.id}` has no plan; give it a `template`, or its own `goals`")
            return None
        secrets = one.secret if one.secret is not None else defaults.secret
        known = secrets if isinstance(secrets, dict) else {} if secrets is None else {"": secrets}
        if not all(isinstance(one, str) and _REFERENCE.fullmatch(one) for one in known.values()):
            self._add(
                written.at("secret"),
                "`secret`: expected env:NAME, file:PATH or keyring:SERVICE/NAME; a secret itself never stands here",
            )
            return None
        return _with_id(self._filled(one, written, known))

    def _filled(self, one: One, written: Written, secrets: Mapping[str, str]) -> Account:
        """Return an account with the defaults in place."""
        defaults = self._file.defaults
        return Account(
            id=one.id,
            written=written,
            namespace=f"{self._file.namespace}/{one.id}" if self._file.namespace else one.id,
            template=one.template or defaults.template,
            goals=one.goals or defaults.goals,
            secrets=secrets,
            settings={**defaults.settings, **one.settings},
            sync=one.sync if one.sync is not None else defaults.sync,
            timezone=one.timezone or defaults.timezone,
            values={**defaults.with_, **one.with_},
        )

    def _add(self, place: Place, message: str) -> None:
        self.problems.append(Problem(place, message))


def _dialect(first: str) -> type[csv.Dialect]:
    """Return how a table is written: spreadsheets of half of Europe write semicolons."""

    class Written(csv.excel):
        delimiter = ";" if first.count(";") > first.count(",") else ","

    return Written


def _with_id(account: Account) -> Account:
    """Return an account in whose paths, secrets and apps `{id}` is its id."""

    def put(value: Any) -> Any:
        if isinstance(value, str):
            return value.replace("{id}", account.id)
        if isinstance(value, dict):
            return {key: put(inner) for key, inner in value.items()}
        return [put(inner) for inner in value] if isinstance(value, list) else value

    names = ("template", "goals", "secrets", "settings", "sync")
    return replace(account, **{name: put(getattr(account, name)) for name in names})
