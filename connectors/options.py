"""Options of a connector in the goals file: strict models, and errors that name the invalid option."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Protocol, TypeVar, runtime_checkable

from pydantic import BaseModel, ConfigDict, ValidationError

from config.errors import InputError
from config.suggest import did_you_mean

if TYPE_CHECKING:
    from collections.abc import Mapping

    from config.settings import Credential, Environment

_UNKNOWN, _MISSING = "extra_forbidden", "missing"


class Options(BaseModel):
    """The options of one place, such as `example`.

    host: part of a host's name; for a clone of a repository from there, the place is the path of the repository.
    """

    model_config = ConfigDict(strict=True, frozen=True, extra="forbid")
    example: ClassVar[str]
    host: ClassVar[str] = ""

    @property
    def place(self) -> str:
        """The name of the place: equal names mean the same place."""
        raise NotImplementedError


@runtime_checkable
class Declares(Protocol):
    """A connector's class that declares its options, which are part of the goals file's JSON Schema, and its token."""

    options: ClassVar[type[Options]]
    credential: ClassVar[Credential | None]


@dataclass(frozen=True, slots=True)
class Offer:
    """A place that exists in an app: its name, what it can hold, and the options that name it in the goals file."""

    name: str
    use: str
    options: Mapping[str, str]


@runtime_checkable
class Offers(Protocol):
    """A connector's class that finds the places of an account, and makes new ones."""

    @classmethod
    def offers(cls, environment: Environment) -> list[Offer]:
        """Return the places that the user may write to. Raises BackplanError."""

    @classmethod
    def make_place(cls, environment: Environment, name: str) -> Offer:
        """Make a place, unless there is one with that name. Raises BackplanError."""


class OptionError(InputError):
    """An option is invalid. `option` is its name as written; empty if one is missing."""

    def __init__(self, message: str, option: str) -> None:
        super().__init__(message)
        self.option = option


Model = TypeVar("Model", bound=Options)


def read_options(name: str, model: type[Model], written: Mapping[str, Any]) -> Model:
    """Return the options of the connector `name`. Raises OptionError for the first that is invalid."""
    try:
        return model.model_validate(written)
    except ValidationError as error:
        # Unknown names come first: a misspelled name also makes an option missing.
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
