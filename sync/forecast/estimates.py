"""Which lengths are estimates with a spread, and what is needed to work with them: the extra `risk`."""

from __future__ import annotations

from importlib.util import find_spec
from typing import TYPE_CHECKING

from config.errors import InputError

if TYPE_CHECKING:
    from config.project import Step

CONFIDENCES = (50, 80, 95)  # percent


def spread(step: Step) -> tuple[int, int, int] | None:
    """Return the best, likely and worst length of a step, in days of its unit; None where it is one length."""
    estimate = step.takes.estimate if step.takes is not None and not step.grows else None
    return estimate if estimate is not None and estimate[0] < estimate[2] else None


def require_numpy() -> None:
    """Raises InputError where numpy is not installed."""
    if find_spec("numpy") is None:
        raise InputError(
            "forecasts from estimates need numpy, which is not installed. Install backplan with its extra `risk`, from "
            "a clone with `uv tool install '.[risk]'` or `pipx install '.[risk]'`"
        )
