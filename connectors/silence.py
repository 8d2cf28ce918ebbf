"""How long a service may stay silent. The command that runs sets it for all connectors."""

from __future__ import annotations

from contextvars import ContextVar
from dataclasses import dataclass
from math import inf
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

LOOKING = 20.0  # seconds, for commands that change nothing: the user waits for them, and can run them again


@dataclass(frozen=True, slots=True)
class Silence:
    """`limit`: seconds without an answer, after which a service is given up. `report`: shows a sentence to the user.

    Without `report`, no sentence is shown.
    """

    limit: float = inf
    report: Callable[[str], None] | None = None


SILENCE: ContextVar[Silence] = ContextVar("SILENCE", default=Silence())  # noqa: B039  # it is frozen
