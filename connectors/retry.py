"""Retries requests to services, within the time that a run may take, for any HTTP library."""

from __future__ import annotations

import socket
import time
from contextlib import contextmanager, suppress
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
    from collections.abc import Callable, Generator, Iterator, Mapping

T = TypeVar("T")
_QUIETLY = 2.0  # seconds of waiting for a service without a message
_SOON = 90.0  # seconds; a time in less than that is shown with its seconds
_TRIES = 2  # for a service that cannot be reached at all
_MOST_AHEAD = timedelta(days=3660)  # a time further than this from ours is not the time of a clock
_JITTER = wait_random_exponential(multiplier=0.5, max=30)


@dataclass(frozen=True, slots=True)
class Clock:
    """The clock of this machine; tests have one of their own, and need not wait."""

    now: Callable[[], datetime] = lambda: datetime.now(UTC)
    passed: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep


class TransientError(Exception):
    """A request failed, and may succeed later: after `wait` seconds, if the service asks for that.

    refused: the service has not carried it out; otherwise that is not known.
    """

    def __init__(self, what: str, wait: float = 0, *, refused: bool = False) -> None:
        super().__init__(what)
        self.wait = wait
        self.refused = refused


class UnreachableError(TransientError):
    """The service cannot be reached, and nothing was sent. It is not tried for long."""

    def __init__(self, what: str) -> None:
        super().__init__(what, refused=True)


class UnknownOutcomeError(BackplanError):
    """A request was not answered, and it is not known whether it was carried out."""


class Retrier:
    """Repeats requests until there is an answer, or the time of the run is over."""

    def __init__(self, service: str, budget: float, clock: Clock, url_variable: str) -> None:
        """`service` is its name for people, `budget` the seconds that a run may take, from now.

        url_variable: the environment variable with the address of the service.
        """
        self.clock = clock
        self._service = service
        self._url_variable = url_variable
        self._budget = budget
        self._end = clock.passed() + budget
        self._silence = SILENCE.get()
        self._began = clock.passed()  # the current request
        self._trouble = ""
        self._is_reported = False
        self._ahead = timedelta(0)  # how far the service's clock is ahead of ours
        self._given_up: BackplanError | None = None  # set by commands that do not wait for a service twice

    @property
    def left(self) -> float:
        """How many seconds of the run are left."""
        return self._end - self.clock.passed()

    @property
    def now(self) -> datetime:
        """The time by the service's clock, from its last answer: the clock of this machine may be wrong by days."""
        return self.clock.now() + self._ahead

    @property
    def earliest(self) -> datetime:
        """The time by the service's clock or by ours, whichever is behind."""
        return min(self.now, self.clock.now())

    @property
    def latest(self) -> datetime:
        """The time by the service's clock or by ours, whichever is ahead."""
        return max(self.now, self.clock.now())

    def set_clock(self, headers: Mapping[str, str]) -> None:
        """Take the time from the headers of an answer, if they have one that can be read."""
        with suppress(ValueError):
            moment = parsedate_to_datetime(headers.get("Date", ""))
            ahead = (moment if moment.tzinfo else moment.replace(tzinfo=UTC)) - self.clock.now()
            self._ahead = ahead if abs(ahead) < _MOST_AHEAD else self._ahead

    def call(self, ask: Callable[[], T], *, repeatable: bool = True) -> T:
        """Return the result of `ask`, which is called again each time it raises TransientError.

        repeatable: a request can be sent twice without harm. Otherwise it is repeated only if it was refused.

        Raises UnknownOutcomeError if a request may have been carried out, BackplanError if time is over.
        """
        if self._given_up is not None:
            raise self._given_up
        self._began, self._trouble = self.clock.passed(), ""
        with self._reported():
            return self._call(ask, repeatable=repeatable)

    def at_most(self, seconds: float) -> float:
        """Return the timeout of one answer: at most `seconds`, and no more than the run has left."""
        return min(seconds, max(self._most, 1.0))

    def _call(self, ask: Callable[[], T], *, repeatable: bool) -> T:
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

    @contextmanager
    def _reported(self) -> Generator[None]:
        """Report after a while that a service is waited for; once in a run, and only where somebody listens."""
        if self._silence.report is None or self._is_reported:  # a timer is a thread, which costs as much as a request
            yield
            return
        reporter = Timer(_QUIETLY, self._report, (self._silence.report,))
        reporter.daemon = True
        reporter.start()
        try:
            yield
        finally:
            reporter.cancel()

    def _report(self, report: Callable[[str], None]) -> None:
        if not self._is_reported:
            self._is_reported = True
            what = f": {self._trouble}" if self._trouble else " does not answer"
            report(f"{self._service}{what}; trying until {_clock_time(self.clock.now(), self._most)}")

    @property
    def _most(self) -> float:
        """How many seconds of waiting are left."""
        return min(self.left, self._silence.limit - self._silent_for)

    @property
    def _silent_for(self) -> float:
        return self.clock.passed() - self._began

    def pause(self, seconds: float, why: str) -> None:
        """Wait. Raises BackplanError if the run has not that much time left."""
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
    """Return the error for a connection that failed because the service cannot be reached; None for other failures."""
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


def retry_after(headers: Mapping[str, str]) -> float:
    """Return the seconds after which a service accepts requests again; 0 if the answer does not contain them."""
    value = headers.get("Retry-After", "")
    return float(value) if value.isdecimal() else 0


def rate_limited(seconds: float) -> TransientError:
    """Return the error for an answer to too many requests."""
    return TransientError(f"rate limited; it accepts requests again in {seconds:.0f} s", seconds, refused=True)
