"""A connector's settings in the goals file: a strict model says what they are, errors say which one is wrong."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Protocol, TypeVar, runtime_checkable

from pydantic import BaseModel, ConfigDict, ValidationError

from config.errors import InputError
from config.suggest import did_you_mean

if TYPE_CHECKING:
    from collections.abc import Mapping

    from config.settings import Credential

_UNKNOWN, _MISSING = "extra_forbidden", "missing"


class Options(BaseModel):
    """What a person writes of one place, such as `example`.

    host: a word in the names of hosts from which repositories are cloned whose path there is the place itself.
    """

    model_config = ConfigDict(strict=True, frozen=True, extra="forbid")
    example: ClassVar[str]
    host: ClassVar[str] = ""

    @property
    def place(self) -> str:
        """The place itself, in a word: two with one word are one place."""
        raise NotImplementedError


@runtime_checkable
class Declares(Protocol):
    """A connector's class that declares its settings, which are part of the goals file's JSON Schema, and its token."""

    options: ClassVar[type[Options]]
    credential: ClassVar[Credential | None]


class OptionError(InputError):
    """One setting is wrong. `option` is its name as written; empty where one is missing."""

    def __init__(self, message: str, option: str) -> None:
        super().__init__(message)
        self.option = option


Model = TypeVar("Model", bound=Options)


def read_options(name: str, model: type[Model], written: Mapping[str, Any]) -> Model:
    """Return the settings of the connector `name`. Raises OptionError for the first that is wrong."""
    try:
        return model.model_validate(written)
    except ValidationError as error:
        # Unknown names come first: one that is misspelled also leaves another one out.
        errors = sorted(error.errors(include_url=False), key=lambda found: found["type"] != _UNKNOWN)
        option = str(errors[0]["loc"][0])
    known = {field.alias or name: field for name, field in model.model_fields.items()}
    if errors[0]["type"] == _UNKNOWN:
        hint = did_you_mean(option, known) or f"it takes {', '.join(known)}"
        raise OptionError(f"{name}: invalid option `{option}`; {hint}", option)
    expected = f"expected {known[option].description}"
    if errors[0]["type"] == _MISSING:
        raise OptionError(f"{name}: `{option}` is missing; {expected}", "")
    raise OptionError(f"{name}: invalid `{option}: {written[option]}`; {expected}", option)
