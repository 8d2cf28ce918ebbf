"""Finds the first number for which a condition holds, in few tries."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


def first(holds: Callable[[int], bool], guess: int, least: int, most: int) -> int | None:
    """Return the least number from `least` to `most` for which the condition holds; None if there is none.

    It must hold for every number above it as well. Takes two tries if `guess` is right, and more the further it is off.
    """
    fails, works, stride = least - 1, most + 1, 1
    tried = min(max(guess, least), most)
    while works - fails > 1:
        if holds(tried):
            works, following = tried, tried - stride
        else:
            fails, following = tried, tried + stride
        stride *= 2
        tried = following if fails < following < works else (fails + works) // 2
    return works if works <= most else None
