"""Patience with services on the network: retries, waiting and the time that a run may take, for any HTTP library."""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, TypeVar

from tenacity import RetryCallState, Retrying, retry_if_exception, wait_random_exponential

from config.errors import BackplanError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

T = TypeVar("T")
_JITTER = wait_random_exponential(multiplier=0.5, max=30)


@dataclass(frozen=True, slots=True)
class Clock:
    """Time, from outside, so that no test has to wait."""

    now: Callable[[], datetime] = lambda: datetime.now(UTC)
    passed: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep


class TransientError(Exception):
    """It did not work, and may work in a moment: after `wait` seconds, where the service said so.

    refused: the service said that it has done nothing; else that is not known.
    """

    def __init__(self, what: str, wait: float = 0, *, refused: bool = False) -> None:
        super().__init__(what)
        self.wait = wait
        self.refused = refused


class UnknownOutcomeError(BackplanError):
    """A request was not answered, and nobody knows whether it was carried out."""


class Patience:
    """Asks again and again until there is an answer, or the time of the run is over."""

    def __init__(self, service: str, budget: float, clock: Clock) -> None:
        """`service` is its name for people, `budget` the seconds that a run may take, from now."""
        self.clock = clock
        self._service = service
        self._budget = budget
        self._end = clock.passed() + budget

    @property
    def left(self) -> float:
        """How many seconds of the run are left."""
        return self._end - self.clock.passed()

    def until_answered(self, ask: Callable[[], T], *, repeatable: bool = True) -> T:
        """Return what `ask` returns, in the end; it raises TransientError where it may be asked again.

        repeatable: a request can be sent twice without harm. Else it is sent again only after it was refused.

        Raises UnknownOutcomeError for one that may have been carried out, BackplanError where time is over.
        """
        again = Retrying(
            retry=retry_if_exception(lambda e: isinstance(e, TransientError) and (repeatable or e.refused)),
            wait=self._wait,
            stop=self._is_over,
            sleep=self.clock.sleep,
            reraise=True,
        )
        try:
            return again(ask)
        except TransientError as error:
            if not (repeatable or error.refused):
                raise UnknownOutcomeError(f"{self._service} did not answer: {error}") from None
            raise self._over(str(error)) from None

    def pause(self, seconds: float, why: str) -> None:
        """Wait. Raises BackplanError where the run has not that much time."""
        if seconds > self.left:
            raise BackplanError(
                f"{self._service}: {why}, and this run may take no more than {self._budget:g} s "
                "(BACKPLAN_TIME_BUDGET). Run again later, or give it more time; what was done is kept"
            )
        self.clock.sleep(seconds)

    def _over(self, why: str) -> BackplanError:
        return BackplanError(f"{self._service} cannot be reached: {why}. Run again later; what was done is kept")

    def _wait(self, state: RetryCallState) -> float:
        error = state.outcome.exception() if state.outcome else None
        return max(_JITTER(state), error.wait if isinstance(error, TransientError) else 0)

    def _is_over(self, state: RetryCallState) -> bool:
        return state.upcoming_sleep > self.left


def asked_to_wait(headers: Mapping[str, str]) -> float:
    """Return for how many seconds a service wants to be left alone; 0 where it does not say."""
    value = headers.get("Retry-After", "")
    return float(value) if value.isdecimal() else 0


def too_often(seconds: float) -> TransientError:
    """Return the error that an answer is which says that there are too many requests."""
    return TransientError(
        f"it is asked too often, and wants to be left alone for {seconds:.0f} s", seconds, refused=True
    )
