"""JSON that a service answers, read with the types that it should have: what is missing or strange is named.

What is read loosely here is acted on elsewhere: a task without its text would lose the text, one whose state is a word
that nobody knows would be done.
"""

from __future__ import annotations

from typing import Any, Self

from pydantic import BaseModel, ConfigDict, ValidationError

_MISSING = "missing"


class Shape(BaseModel):
    """An object of JSON with the fields that are needed; others are left out."""

    model_config = ConfigDict(strict=True, frozen=True, extra="ignore")

    @classmethod
    def read(cls, value: Any) -> Self:
        """Return the object. Raises ValueError with the first field that is not as it should be, never with a value."""
        try:
            return cls.model_validate(value)
        except ValidationError as error:
            first = error.errors(include_input=False, include_url=False, include_context=False)[0]
            field = ".".join(map(str, first["loc"])) or "it"
            said = "is missing" if first["type"] == _MISSING else f"is not as expected: {first['msg'].lower()}"
            raise ValueError(f"`{field}` {said}") from None
