"""Lists that a service returns page by page: with links, with a token, or with the address of the next page."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from connectors.shapes import json_object

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    import requests

    # The rows of a page, and the next page: its address, or parameters to add to the query, or None.
    Page = tuple[list[Any], str | Mapping[str, Any] | None]


def by_link(response: requests.Response) -> Page:
    """Return a list, and the next page from the header `Link`. Raises ValueError if it is not a list."""
    values = response.json()
    if not isinstance(values, list):
        raise ValueError("it is not a list")
    return values, response.links.get("next", {}).get("url")


def by_token(items: str, field: str, parameter: str, *, may_lack: bool = False) -> Callable[[requests.Response], Page]:
    """Return a reader of objects: `items` is the field with the rows, `field` that with the token of the next page.

    parameter: the query parameter for the token. may_lack: the service omits an empty list.
    """

    def turn(response: requests.Response) -> Page:
        page = json_object(response)
        values, token = _items({items: []} | page if may_lack else page, items), page.get(field)
        if token and not isinstance(token, str):
            raise ValueError(f"`{field}` is not a text")
        return values, {parameter: token} if token else None

    return turn


def by_next_url(items: str, *names: str) -> Callable[[requests.Response], Page]:
    """Return a reader of objects: `items` is the field with the rows, `names` lead to the address of the next page."""

    def turn(response: requests.Response) -> Page:
        page = json_object(response)
        found: Any = page
        for name in names:
            found = found.get(name) if isinstance(found, dict) else None
        return _items(page, items), found

    return turn


def _items(page: Mapping[str, Any], name: str) -> list[Any]:
    """Return the rows of a page. Raises ValueError if they are not a list."""
    values = page.get(name)
    if not isinstance(values, list):
        raise ValueError(f"`{name}` is not a list")
    return values


def listed(
    ask: Callable[..., requests.Response],
    path: str,
    query: Mapping[str, Any],
    turn: Callable[[requests.Response], Page] = by_link,
    method: str = "GET",
) -> Iterator[Any]:
    """Yield all items of a list, page by page.

    ask: returns the answer to a request. method: with POST, the query is the body. Raises ValueError if an answer
    is not a list.
    """
    where: str = path
    parameters: Mapping[str, Any] = query
    while True:
        options = {"params": parameters} if method == "GET" else {"body": parameters, "writes": False}
        values, more = turn(ask(method, where, **options))
        yield from values
        if more is None:
            return
        where, parameters = (more, {}) if isinstance(more, str) else (path, {**query, **more})
