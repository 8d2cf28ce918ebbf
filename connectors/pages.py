"""Lists that a service tells page by page: by links, by a word for what follows, or by the address of the next page."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from connectors.shapes import json_object

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    import requests

    # What a page holds, and how the next one is asked for: by its address, by what is added to the query, or not.
    Page = tuple[list[Any], str | Mapping[str, Any] | None]


def by_link(response: requests.Response) -> Page:
    """Return a list whose next page is named in the header `Link`. Raises ValueError where it is none."""
    values = response.json()
    if not isinstance(values, list):
        raise ValueError("it is no list")
    return values, response.links.get("next", {}).get("url")


def by_token(items: str, tells: str, asks: str, *, may_lack: bool = False) -> Callable[[requests.Response], Page]:
    """Return what reads an object with `items`, and in `tells` a word which, as `asks`, asks for what follows.

    may_lack: where there is no item, the service leaves out the list as well.
    """

    def turn(response: requests.Response) -> Page:
        said = json_object(response)
        values = _items({items: []} | said if may_lack else said, items)
        return values, {asks: said[tells]} if said.get(tells) else None

    return turn


def by_next_url(items: str, *tells: str) -> Callable[[requests.Response], Page]:
    """Return what reads an object with `items`, and the address of the next page below the names in `tells`."""

    def turn(response: requests.Response) -> Page:
        said = json_object(response)
        found: Any = said
        for name in tells:
            found = found.get(name) if isinstance(found, dict) else None
        return _items(said, items), found

    return turn


def _items(said: Mapping[str, Any], name: str) -> list[Any]:
    """Return the rows of a page. Raises ValueError where they are no list."""
    values = said.get(name)
    if not isinstance(values, list):
        raise ValueError(f"`{name}` is no list")
    return values


def listed(
    ask: Callable[..., requests.Response],
    path: str,
    query: Mapping[str, Any],
    turn: Callable[[requests.Response], Page] = by_link,
    method: str = "GET",
) -> Iterator[Any]:
    """Yield everything that a list holds, page by page.

    ask: returns the answer to a request. method: with POST, the query is the body. Raises ValueError where what it
    answers is no list.
    """
    where: str = path
    asked: Mapping[str, Any] = query
    while True:
        said = {"params": asked} if method == "GET" else {"body": asked, "writes": False}
        values, more = turn(ask(method, where, **said))
        yield from values
        if more is None:
            return
        where, asked = (more, {}) if isinstance(more, str) else (path, {**query, **more})
