"""Puts things into groups that one request can contain."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

T = TypeVar("T")


def batches(things: Iterable[T], body: Callable[[T], object], most: int, largest: int) -> Iterator[list[T]]:
    """Yield things in their order, in groups of at most `most`, whose bodies have at most `largest` characters of JSON.

    A thing that is larger is a group of its own.
    """
    group: list[T] = []
    size = 0
    for thing in things:
        length = len(json.dumps(body(thing)))
        if group and (len(group) == most or size + length > largest):
            yield group
            group, size = [], 0
        group.append(thing)
        size += length
    if group:
        yield group
