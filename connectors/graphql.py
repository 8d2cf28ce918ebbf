"""Asks a service in GraphQL, whose errors come in an answer with the status 200 or 400."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from connectors.shapes import Shape, json_object, unknown

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from connectors.http import Api

_PATH = "/graphql"


class _PageInfo(Shape):
    hasNextPage: bool  # noqa: N815  # the service's name
    endCursor: str | None  # noqa: N815


class _Page(Shape):
    nodes: list[Any]
    pageInfo: _PageInfo  # noqa: N815


class _Extensions(Shape):
    code: str = ""
    userPresentableMessage: str | None = None  # noqa: N815


class GraphQLError(Shape):
    """An error in an answer. Several codes can have one meaning, so each service has its own `status`."""

    message: str
    extensions: _Extensions = _Extensions()

    @property
    def words(self) -> str:
        """The sentence for the user, with the message for programs if they differ."""
        shown = self.extensions.userPresentableMessage or ""
        return self.message if shown in ("", self.message) else f"{shown} ({self.message})"


class GraphQL:
    """A service that takes documents of GraphQL."""

    def __init__(self, api: Api, name: str, status: Callable[[GraphQLError], int]) -> None:
        """`name` is for people; `status` returns the status of HTTP that means the same as an error."""
        self._api, self._name, self._status = api, name, status

    def ask(self, document: str, variables: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """Return the data that a document asks for. A mutation may be sent twice: what it creates needs an id of ours.

        Raises CredentialsError, MissingError or BackplanError, with the first message of the service.
        """
        body = {"query": document, "variables": variables or {}}
        response = self._api.send("POST", _PATH, body=body, writes=document.lstrip().startswith("mutation"))
        answer = json_object(response)
        if errors := answer.get("errors"):
            raise self._refusal(errors)
        data = answer.get("data")
        if not isinstance(data, dict):
            self._api.checked(response)
            raise unknown(self._name, "a query", "`data` is not an object")
        return data

    def listed(self, document: str, variables: Mapping[str, Any], name: str) -> Iterator[Any]:
        """Yield all nodes of the connection `name`, page by page. `document` takes the variable `$after`.

        Raises ValueError if an answer is no page, and KeyError if it lacks the name.
        """
        after: str | None = None
        while True:
            page = _Page.read(self.ask(document, {**variables, "after": after})[name])
            yield from page.nodes
            if not page.pageInfo.hasNextPage:
                return
            if page.pageInfo.endCursor in (None, after):
                raise ValueError("`endCursor` does not lead to the next page")
            after = page.pageInfo.endCursor

    def _refusal(self, errors: Any) -> Exception:
        try:
            error = GraphQLError.read(errors[0])
        except (ValueError, KeyError, TypeError) as problem:
            return unknown(self._name, "a query", str(problem))
        return self._api.refusal(self._status(error), error.words, "GraphQL")


def codes(content: Mapping[str, Any]) -> list[str]:
    """Return the codes of the errors in an answer."""
    found = content.get("errors")
    errors = found if isinstance(found, list) else []
    extensions = (error.get("extensions") for error in errors if isinstance(error, dict))
    return [str(one.get("code")) for one in extensions if isinstance(one, dict)]
