"""How long a service may stay silent: as the command that is run has it, whoever speaks to the service."""

from __future__ import annotations

from contextvars import ContextVar
from dataclasses import dataclass
from math import inf
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

LOOKING = 20.0  # seconds, for commands that change nothing: somebody waits for them, and can ask again


@dataclass(frozen=True, slots=True)
class Silence:
    """`limit`: after so many seconds without an answer a service is given up. `tell` says a sentence to who waits."""

    limit: float = inf
    tell: Callable[[str], None] = lambda _: None


SILENCE: ContextVar[Silence] = ContextVar("SILENCE", default=Silence())  # noqa: B039  # it is frozen
