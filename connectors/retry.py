"""Patience with services on the network: retries, waiting and the time that a run may take, for any HTTP library."""

from __future__ import annotations

import socket
import time
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from math import inf
from threading import Timer
from typing import TYPE_CHECKING, TypeVar

from tenacity import RetryCallState, Retrying, retry_if_exception, wait_random_exponential

from config.errors import BackplanError
from connectors.silence import SILENCE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

T = TypeVar("T")
_QUIETLY = 2.0  # seconds for which nobody has to know that a service is waited for
_SOON = 90.0  # seconds
_TRIES = 2  # of a service that cannot be reached at all
_MOST_AHEAD = timedelta(days=3660)  # what is further from our time is no time that a clock shows
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


class UnreachableError(TransientError):
    """There is no way to the service: trying for minutes is of no use. Nothing was sent."""

    def __init__(self, what: str) -> None:
        super().__init__(what, refused=True)


class UnknownOutcomeError(BackplanError):
    """A request was not answered, and nobody knows whether it was carried out."""


class Retrier:
    """Asks again and again until there is an answer, or the time of the run is over."""

    def __init__(self, service: str, budget: float, clock: Clock, url_variable: str) -> None:
        """`service` is its name for people, `budget` the seconds that a run may take, from now.

        url_variable: of the environment, which says where the service is.
        """
        self.clock = clock
        self._service = service
        self._url_variable = url_variable
        self._budget = budget
        self._end = clock.passed() + budget
        self._silence = SILENCE.get()
        self._asked = clock.passed()
        self._trouble = ""
        self._told = False
        self._ahead = timedelta(0)  # the service's clock, of ours
        self._given_up: BackplanError | None = None  # by a command that does not wait for a service a second time

    @property
    def left(self) -> float:
        """How many seconds of the run are left."""
        return self._end - self.clock.passed()

    @property
    def now(self) -> datetime:
        """The time by the service's clock, as its last answer told it: that of this machine may be wrong by days."""
        return self.clock.now() + self._ahead

    @property
    def earliest(self) -> datetime:
        """The time by the service's clock or by ours, whichever is behind."""
        return min(self.now, self.clock.now())

    @property
    def latest(self) -> datetime:
        """The time by the service's clock or by ours, whichever is ahead."""
        return max(self.now, self.clock.now())

    def hear(self, headers: Mapping[str, str]) -> None:
        """Take the time from the headers of an answer; one that is not there, or cannot be read, tells nothing."""
        with suppress(ValueError):
            told = parsedate_to_datetime(headers.get("Date", ""))
            ahead = (told if told.tzinfo else told.replace(tzinfo=UTC)) - self.clock.now()
            self._ahead = ahead if abs(ahead) < _MOST_AHEAD else self._ahead

    def until_answered(self, ask: Callable[[], T], *, repeatable: bool = True) -> T:
        """Return what `ask` returns, in the end; it raises TransientError where it may be asked again.

        repeatable: a request can be sent twice without harm. Else it is sent again only after it was refused.

        Raises UnknownOutcomeError for one that may have been carried out, BackplanError where time is over.
        """
        if self._given_up is not None:
            raise self._given_up
        self._asked, self._trouble = self.clock.passed(), ""
        teller = Timer(_QUIETLY, self._tell)
        teller.daemon = True
        teller.start()
        try:
            return self._until_answered(ask, repeatable=repeatable)
        finally:
            teller.cancel()

    def at_most(self, seconds: float) -> float:
        """Return for how many of some seconds one answer may be waited for."""
        return min(seconds, max(self._silence.limit - self._silent_for, 1.0))

    def _until_answered(self, ask: Callable[[], T], *, repeatable: bool) -> T:
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
            given_up = self._over(error)
            self._given_up = given_up if self._silence.limit < inf else None
            raise given_up from None

    def _tell(self) -> None:
        """Say once what is waited for."""
        if not self._told:
            self._told = True
            what = f": {self._trouble}" if self._trouble else " does not answer"
            self._silence.tell(f"{self._service}{what}; trying until {_clock_time(self.clock.now(), self._most)}")

    @property
    def _most(self) -> float:
        """How many seconds of waiting are left."""
        return min(self.left, self._silence.limit - self._silent_for)

    @property
    def _silent_for(self) -> float:
        return self.clock.passed() - self._asked

    def pause(self, seconds: float, why: str) -> None:
        """Wait. Raises BackplanError where the run has not that much time."""
        if seconds > self.left:
            raise BackplanError(
                f"{self._service}: {why}, and this run may take no more than {self._budget:g} s "
                "(BACKPLAN_TIME_BUDGET). Run again later, or give it more time; what was done is kept"
            )
        self.clock.sleep(seconds)

    def _over(self, error: TransientError) -> BackplanError:
        check = (
            f"Check the network of this machine, a proxy or VPN on the way, and {self._url_variable} where "
            "you have set it"
        )
        remedy = check if isinstance(error, UnreachableError) else "Run again later"
        return BackplanError(f"{self._service} cannot be reached: {error}. {remedy}; what was done is kept")

    def _wait(self, state: RetryCallState) -> float:
        error = state.outcome.exception() if state.outcome else None
        self._trouble = str(error)
        return max(_JITTER(state), error.wait if isinstance(error, TransientError) else 0)

    def _is_over(self, state: RetryCallState) -> bool:
        error = state.outcome.exception() if state.outcome else None
        if isinstance(error, UnreachableError) and state.attempt_number >= _TRIES:
            return True
        limited = isinstance(error, TransientError) and error.refused  # this is an answer
        return state.upcoming_sleep > (self.left if limited else self._most)


def unreachable(error: BaseException, host: str) -> UnreachableError | None:
    """Return the error that a failed connection is where there is no way to the service; None for any other."""
    causes = list(_causes(error))
    if any(isinstance(cause, socket.gaierror) for cause in causes):
        return UnreachableError(f"the host `{host}` is not known")
    if any(isinstance(cause, ConnectionRefusedError) for cause in causes):
        return UnreachableError(f"`{host}` refuses the connection")
    return None


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


def _clock_time(now: datetime, seconds: float) -> str:
    """Return the time of this machine's clock in so many seconds; with its seconds where that is soon."""
    until = (now + timedelta(seconds=seconds)).astimezone()
    return f"{until:%H:%M}" if seconds > _SOON else f"{until:%H:%M:%S}"


def asked_to_wait(headers: Mapping[str, str]) -> float:
    """Return for how many seconds a service wants to be left alone; 0 where it does not say."""
    value = headers.get("Retry-After", "")
    return float(value) if value.isdecimal() else 0


def too_often(seconds: float) -> TransientError:
    """Return the error that an answer is which says that there are too many requests."""
    return TransientError(
        f"it is asked too often, and wants to be left alone for {seconds:.0f} s", seconds, refused=True
    )
