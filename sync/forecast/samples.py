"""Samples for Monte Carlo: lengths from three-point estimates, and calendar arithmetic for all samples at once."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING
from zlib import crc32

import numpy as np

from config.durations import Duration, Unit
from sync.forecast.estimates import spread
from sync.schedule.working_days import LAST, WorkingDays, shift

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from numpy.typing import NDArray

    from config.project import Step

    Sampled = NDArray[np.int64]  # a whole number for each sample
    Days = int | Sampled  # the same in all samples, or one for each

_LAMBDA = 4  # the weight of the likely value in PERT
_GRID = 1000  # parts into which a distribution is cut to add it up
_TABLE = 1500  # days that the tables of a calendar have to begin with


def draw(steps: Iterable[Step], samples: int, seed: int = 0) -> dict[str, Sampled]:
    """Return drawn lengths, in days of the estimate's unit, of each step whose estimate has a spread.

    They are the quantiles of the estimate's distribution in random order (Latin hypercube sampling: M. D. McKay and
    others, Technometrics 21(2), 1979), which is most accurate for a given number of samples. The order depends on the
    step's key alone, so a change of an estimate or a step does not change the samples of others.
    """
    drawn = {}
    for step in steps:
        if (estimate := spread(step)) is not None:
            dice = np.random.default_rng((seed, crc32(step.key.encode())))
            lengths = dice.permutation(_quantiles(estimate, samples))
            # Whole days, up or down by chance, so that the mean stays.
            drawn[step.key] = (lengths + dice.random(samples)).astype(np.int64)
    return drawn


@lru_cache(maxsize=1024)
def _quantiles(estimate: tuple[int, int, int], samples: int) -> NDArray[np.float64]:
    """Return quantiles of an estimate's PERT distribution, evenly spaced and rising.

    It is a beta distribution between best and worst with its mode at likely and the mean (best + 4 likely + worst) / 6:
    D. G. Malcolm and others, "Application of a Technique for Research and Development Program Evaluation", Operations
    Research 7(5), 1959; with the parameters of D. Vose, Risk Analysis, 2nd edition, 2000.
    """
    best, likely, worst = estimate
    rising, falling = (_LAMBDA * part / (worst - best) for part in (likely - best, worst - likely))
    middles = (np.arange(_GRID) + 0.5) / _GRID
    summed = np.cumsum(middles**rising * (1 - middles) ** falling)
    shares = (np.arange(samples) + 0.5) / samples
    within = np.interp(shares, np.append(0, summed / summed[-1]), np.linspace(0, 1, _GRID + 1))
    quantiles: NDArray[np.float64] = best + (worst - best) * within
    return quantiles


def latest(days: Iterable[Days]) -> Days:
    """Return the latest day, of all samples or of each; 0, before all days, if there is none."""
    same = 0
    sampled: Sampled | None = None
    for day in days:
        if not isinstance(day, int):
            sampled = day if sampled is None else np.maximum(sampled, day)
        elif day > same:
            same = day
    if sampled is None:
        return same
    return np.maximum(sampled, same) if same else sampled


def _each(function: Callable[[int], int], days: Days) -> Days:
    """Return the function's value for each day; each is computed once."""
    if isinstance(days, int):
        return function(days)
    values, indices = np.unique(days, return_inverse=True)
    return np.array([function(int(value)) for value in values])[indices]


class SampledDays:
    """A calendar's working days for many days at once: two tables of integers, from days to positions and back."""

    def __init__(self, days: WorkingDays, low: int) -> None:
        """Lay the tables out from the day `low`, before which nothing may lie; they grow as far ahead as is needed."""
        self.days = days
        self._low, self._low_position = low, days.position(low)
        self._lay_out(low + _TABLE)

    def _lay_out(self, high: int) -> None:
        high = min(high, LAST)
        positions = range(self._low_position, self.days.position(high) + 1)
        self._day_at = np.array([self.days.day(position) for position in positions])
        counted = np.searchsorted(self._day_at, np.arange(self._low, high + 1), side="right")
        self._position_at = counted - 1 + self._low_position

    def _grow(self, day: int) -> None:
        self.days.checked(day)
        self._lay_out(2 * day - self._low)

    def position(self, day: Days) -> Days:
        """Return the position of the last working day no later than `day`."""
        if isinstance(day, int):
            return self.days.position(day)
        try:
            return self._position_at.take(day - self._low)
        except IndexError:
            self._grow(int(day.max()))
            return self._position_at.take(day - self._low)

    def day(self, position: Days) -> Days:
        """Return the working day at `position`."""
        if isinstance(position, int):
            return self.days.day(position)
        try:
            return self._day_at.take(position - self._low_position)
        except IndexError:
            self._grow(self.days.day(int(position.max())))
            return self._day_at.take(position - self._low_position)

    def back(self, day: Days) -> Days:
        """Return the last working day no later than `day`."""
        return self.day(self.position(day))

    def forward(self, day: Days) -> Days:
        """Return the first working day no earlier than `day`."""
        return self.day(self.position(day - 1) + 1)

    def after(self, day: Days, wait: Duration | None) -> Days:
        """Return the day that lies `wait` after `day`."""
        if wait is None or not wait.amount:
            return day
        if wait.unit is Unit.WORKING_DAYS:
            return self.day(self.position(day) + wait.amount)
        if wait.unit is Unit.MONTHS:
            return _each(lambda one: shift(one, wait, 1), day)
        return day + wait.amount

    def finish(self, earliest: Days, length: Days, unit: Unit, begin: int) -> Days:
        """Return the last day of a step that may start on the day after `earliest`, and on `begin` at the soonest.

        `begin` is a working day.
        """
        if isinstance(length, int):
            return self._finish(earliest, length, unit) if length else self._reached(earliest, begin)
        return np.where(length == 0, self._reached(earliest, begin), self._finish(earliest, length, unit))

    def _reached(self, earliest: Days, begin: int) -> Days:
        """Return the day of a step without a length: it takes none, but does not lie before the first one."""
        return latest([self.back(earliest), begin])

    def _finish(self, earliest: Days, length: Days, unit: Unit) -> Days:
        if unit is Unit.CALENDAR_DAYS:
            return earliest + length
        if unit is Unit.SPAN_DAYS:
            return latest([self.forward(earliest + 1), self.forward(self.back(earliest) + length)])
        if unit is Unit.MONTHS:
            months = Duration(int(length), unit, "")
            return _each(lambda day: self._after_months(day, months), earliest)
        return self.day(self.position(earliest) + length)

    def on_free_day(self, earliest: Days, finish: Days, due: int) -> Days:
        """Return the last day of a step that has to end on `due`: where that is a free day, it counts as its own."""
        if self.days.is_working(due):
            return finish
        counts = (self.position(finish) - self.position(due) == 1) & (earliest < due)
        return np.where(counts, due, finish) if isinstance(counts, np.ndarray) else due if counts else finish

    def _after_months(self, earliest: int, months: Duration) -> int:
        before = self.days.back(earliest)
        finish = self.days.forward(shift(before, months, 1))
        while shift(finish, months, -1) < before:  # a month from 31 January falls short of it
            finish = self.days.forward(finish + 1)
        return max(self.days.forward(earliest + 1), finish)
