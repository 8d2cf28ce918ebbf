"""Reads the JSON of a service with strict types: an error names the field that is missing or unexpected.

A value that is read loosely does harm: a task without its text would lose the text, and a task with an unknown state
would count as done.
"""

from __future__ import annotations

from contextlib import contextmanager
from datetime import date, datetime
from typing import TYPE_CHECKING, Annotated, Any, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, ValidationError

from config.errors import BackplanError, CredentialsError

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    import requests

    from config.settings import Credential

_MISSING = "missing"


def _read_by(read: Callable[[str], Any]) -> BeforeValidator:
    """Return a validator that reads a text; a strict model refuses other values."""
    return BeforeValidator(lambda value: read(value) if isinstance(value, str) else value)


Day = Annotated[date, _read_by(date.fromisoformat)]
Moment = Annotated[datetime, _read_by(datetime.fromisoformat)]


class Shape(BaseModel):
    """An object of JSON with the fields that are needed; others are ignored."""

    model_config = ConfigDict(strict=True, frozen=True, extra="ignore")

    @classmethod
    def read(cls, value: Any) -> Self:
        """Return the object. Raises ValueError with the name of the first wrong field, never with its value."""
        try:
            return cls.model_validate(value)
        except ValidationError as error:
            first = error.errors(include_input=False, include_url=False, include_context=False)[0]
            field = ".".join(map(str, first["loc"])) or "it"
            problem = "is missing" if first["type"] == _MISSING else f"is not as expected: {first['msg'].lower()}"
            raise ValueError(f"`{field}` {problem}") from None


def unknown(service: str, asked: str, what: str) -> BackplanError:
    """Return the error for an answer of another form. asked: the subject of the request. what: the problem."""
    return BackplanError(f"{service}'s answer on {asked} is not as expected ({what}); run again, or update backplan")


@contextmanager
def understood(service: str, asked: str) -> Generator[None]:
    """Turn the error of an answer of another form into one for the user, with a remedy."""
    try:
        yield
    except KeyError as error:
        raise unknown(service, asked, f"it lacks {error}") from None
    except (TypeError, ValueError, AttributeError) as error:
        raise unknown(service, asked, str(error)) from None


def json_object(response: requests.Response) -> dict[str, Any]:
    """Return the object that an answer holds; an empty one where it holds none."""
    try:
        found = response.json()
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def unknown_token(wanted: Credential, words: str) -> CredentialsError:
    """Return the error that a refused token is, in the words of the service."""
    return CredentialsError(
        f"{wanted.service} does not accept the {wanted.kind} in {wanted.variable}, or it has expired ({words}): "
        f"{wanted.where} and put it there (nothing more was changed)"
    )
