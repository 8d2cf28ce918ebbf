"""The inputs of `action.yml`, as the runner hands them on: in variables INPUT_*."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from config.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_COMMANDS = ("sync", "plan", "check")
_FAIL_ON = ("error", "late")


@dataclass(frozen=True, slots=True)
class Inputs:
    """The inputs of `action.yml`."""

    goals: Path | None
    command: str
    connectors: frozenset[str]
    allow_mass_change: bool
    rebuild: bool
    comment: bool
    forms: bool
    fail_on: str
    version: str

    @classmethod
    def of(cls, environment: Mapping[str, str]) -> Inputs:
        """Read the variables INPUT_*. Raises InputError for an invalid value."""
        given = {name: value.strip() for name, value in environment.items() if name.startswith("INPUT_")}
        return cls(
            goals=Path(given["INPUT_GOALS"]) if given.get("INPUT_GOALS") else None,
            command=_one_of(given, "command", _COMMANDS),
            connectors=frozenset(given.get("INPUT_CONNECTOR", "").replace(",", " ").split()),
            allow_mass_change=_one_of(given, "allow-mass-change", ("false", "true")) == "true",
            rebuild=_one_of(given, "rebuild", ("false", "true")) == "true",
            comment=_one_of(given, "comment", ("false", "true")) == "true",
            forms=_one_of(given, "forms", ("false", "true")) == "true",
            fail_on=_one_of(given, "fail-on", _FAIL_ON),
            version=given.get("INPUT_VERSION", ""),
        )


def _one_of(given: Mapping[str, str], name: str, known: Sequence[str]) -> str:
    """Return an input that is one of the known values; by default the first of them."""
    value = given.get(f"INPUT_{name.upper().replace('-', '_')}") or known[0]
    if value not in known:
        raise InputError(f"the input `{name}` of the workflow is `{value}`; it takes {' or '.join(known)}")
    return value
