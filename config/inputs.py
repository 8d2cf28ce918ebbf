"""Inputs of a goals file that many people share: `inputs:` declares them, and `{name}` in a text stands for one.

A value is put into the values of the file after it was parsed: whatever it contains, it stays a value.
"""

from __future__ import annotations

import re
from datetime import date
from typing import TYPE_CHECKING, Any, Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from config import durations
from config.errors import Problem
from config.fields import Date, Text
from config.suggest import hint

if TYPE_CHECKING:
    from collections.abc import Mapping

    from config.source import Path_, Source

_NAME = re.compile(r"[a-z][a-z0-9_]*")
_USE = re.compile(r"\{([a-z][a-z0-9_]*)\}")
_EXAMPLES = {"text": "Porto", "date": "2027-08-15", "number": "3", "length": "2 weeks"}


class Input(BaseModel):
    """One input. Without a default, every account has to give it."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    type: Literal["text", "date", "number", "length"] = "text"
    default: Text | Date | int | None = None
    about: Text = ""

    def read(self, value: object) -> object:
        """Return a value as this type has it; None if it is of another type."""
        text = str(value).strip()
        if value is None or isinstance(value, bool | dict | list):
            return None
        if self.type == "date":
            return value if isinstance(value, date) else _date(text)
        if self.type == "number":
            return int(text) if re.fullmatch(r"\d{1,9}", text) else None
        if self.type == "length":
            return text if _is_length(text) else None
        return text or None


def _is_length(text: str) -> bool:
    try:
        return durations.parse(text).amount >= 0
    except ValueError:
        return False


def _date(text: str) -> date | None:
    try:
        return date.fromisoformat(text) if len(text) == len("2027-08-15") else None
    except ValueError:
        return None


def declared(source: Source) -> dict[str, Input]:
    """Return the inputs that a goals file declares, and take the declaration out of its values.

    Mistakes are added to the problems of the source.
    """
    written = source.value.pop("inputs", None)
    if written is None:
        return {}
    if not isinstance(written, dict):
        source.problems.append(Problem(source.place(("inputs",)), "`inputs`: expected names, such as `city: text`"))
        return {}
    found: dict[str, Input] = {}
    for name, entry in written.items():
        place = source.place_of_key(("inputs", name))
        if not _NAME.fullmatch(name) or name == "id":
            message = "expected a name of small letters, digits and _; `id` is always there"
            source.problems.append(Problem(place, message))
            continue
        try:
            one = Input.model_validate({"type": entry} if isinstance(entry, str) else entry or {})
        except ValidationError:
            message = f"`{name}`: expected a type (text, date, number or length), or `{{type: date, default: ...}}`"
            source.problems.append(Problem(place, message))
            continue
        if one.default is not None and one.read(one.default) is None:
            message = f"`{name}`: the default is no {one.type} such as {_EXAMPLES[one.type]}"
            source.problems.append(Problem(place, message))
            continue
        found[name] = one
    return found


def given(inputs: Mapping[str, Input], values: Mapping[str, object]) -> tuple[dict[str, object], list[tuple[str, str]]]:
    """Return the value of each input, and what is wrong: (name, message). The name is empty where one is missing."""
    found: dict[str, object] = {}
    there_are = f"; it has {', '.join(inputs) or 'none'}"
    wrong: list[tuple[str, str]] = [
        (name, f"the template has no input `{name}`{hint(name, inputs) or there_are}")
        for name in sorted(values.keys() - inputs.keys())
    ]
    for name, one in inputs.items():
        if values.get(name) in (None, ""):
            if one.default is None:
                wrong.append(("", f"the input `{name}` is missing; write {name}: {_EXAMPLES[one.type]}"))
            found[name] = one.read(one.default)
            continue
        found[name] = one.read(values[name])
        if found[name] is None:
            wrong.append((name, f"`{name}`: expected a {one.type} such as {_EXAMPLES[one.type]}"))
    return found, wrong


def fill(source: Source, values: Mapping[str, object]) -> None:
    """Put values into the texts of a file. A name that has no value is a problem of the source, at its text."""
    source.value = {key: _filled(source, (key,), value, values) for key, value in source.value.items()}


def _filled(source: Source, path: Path_, value: Any, values: Mapping[str, object]) -> Any:
    if isinstance(value, dict):
        return {key: _filled(source, (*path, key), inner, values) for key, inner in value.items()}
    if isinstance(value, list):
        return [_filled(source, (*path, index), inner, values) for index, inner in enumerate(value)]
    if not isinstance(value, str) or "{" not in value:
        return value
    for name in _USE.findall(value):
        if name not in values:
            message = f"no input has the name `{name}`{hint(name, values)}; declare it under `inputs:`"
            source.problems.append(Problem(source.place(path), message))
            return value
    whole = _USE.fullmatch(value)
    if whole and isinstance(values[whole[1]], date):
        return values[whole[1]]
    return _USE.sub(lambda use: str(values[use[1]]), value)
