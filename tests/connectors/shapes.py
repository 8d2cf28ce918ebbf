"""Answers of another shape: one field of one answer is taken away, or is of another type."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.servers.http import LoopbackServer, Request, Response

Path = tuple[str | int, ...]
_OTHER: dict[type, Any] = {str: 7, int: "7", bool: "yes", list: {"x": 1}, dict: ["x"], type(None): 7, float: "x"}


@dataclass(frozen=True)
class Bend:
    """What happens to one answer: the value at `path` is taken away, or (`retyped`) is of another type."""

    request: int
    path: Path
    retyped: bool

    def of(self, body: bytes) -> bytes:
        value = json.loads(body)
        if not self.path:
            return json.dumps(_OTHER[type(value)]).encode()
        *above, last = self.path
        place = value
        for step in above:
            place = place[_key(place, step)]
        last = _key(place, last)
        if self.retyped:
            place[last] = _OTHER[type(place[last])]
        else:
            del place[last]
        return json.dumps(value).encode()


def record(server: LoopbackServer) -> list[Bend]:
    """Let a server note what could happen to each of its answers from now on; the list grows."""
    found: list[Bend] = []
    count = 0

    def note(request: Request, response: Response) -> Response:
        nonlocal count
        if response.body and response.content_type == "application/json":
            for path, optional in _paths(json.loads(response.body)):
                found.append(Bend(count, path, retyped=True))
                found.extend([Bend(count, path, retyped=False)] if optional else [])
        count += 1
        return response

    server.bend = note
    return found


def bend(server: LoopbackServer, how: Bend) -> None:
    """Let this happen to an answer of a server from now on, by its number, and nothing to the others."""
    count = 0

    def bent(request: Request, response: Response) -> Response:
        nonlocal count
        count += 1
        return replace(response, body=how.of(response.body)) if count - 1 == how.request else response

    server.bend = bent


def _paths(value: Any, path: Path = (), *, of_object: bool = False) -> Iterator[tuple[Path, bool]]:
    """Yield the place of each value, and whether it can be taken away: of a list, that would be a shorter list."""
    yield path, of_object
    if isinstance(value, dict):
        for number, (key, part) in enumerate(value.items()):
            yield from _paths(part, (*path, number if "-" in key else key), of_object=True)
    elif isinstance(value, list):
        for number, part in enumerate(value):
            yield from _paths(part, (*path, number))


def _key(place: Any, step: str | int) -> Any:
    """Return the key of a step of a path: by its number, where it is an id that is another one each time."""
    return list(place)[step] if isinstance(place, dict) and isinstance(step, int) else step
