"""WebDAV as far as a list of tasks needs it: questions and answers in XML, and texts that are written conditionally."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import urljoin, urlsplit
from xml.etree import ElementTree
from xml.sax.saxutils import escape

from config.errors import BackplanError
from connectors.shapes import unknown

if TYPE_CHECKING:
    from collections.abc import Mapping
    from xml.etree.ElementTree import Element

    import requests

    from connectors.http import Api

DAV, CAL = "{DAV:}", "{urn:ietf:params:xml:ns:caldav}"
_NAMES = 'xmlns:d="DAV:" xmlns:c="urn:ietf:params:xml:ns:caldav"'
_PROPERTIES = f"""<d:propfind {_NAMES}><d:prop><d:current-user-principal/><c:calendar-home-set/><d:resourcetype/>\
<d:displayname/><c:supported-calendar-component-set/><d:current-user-privilege-set/></d:prop></d:propfind>"""
_QUERY = f"""<c:calendar-query {_NAMES}><d:prop><d:getetag/><c:calendar-data/></d:prop><c:filter>\
<c:comp-filter name="VCALENDAR">%s</c:comp-filter></c:filter></c:calendar-query>"""
_COMPONENTS = '<c:comp-filter name="%s">%s</c:comp-filter>'
_WITH = '<c:prop-filter name="%s"/>'
_MAKE = f"""<c:mkcalendar {_NAMES}><d:set><d:prop><d:displayname>%s</d:displayname><c:supported-calendar-component-set>\
<c:comp name="%s"/></c:supported-calendar-component-set></d:prop></d:set></c:mkcalendar>"""
_OK, _CREATED, _EMPTY, _MANY, _GONE = 200, 201, 204, 207, 404
_XML = {"Content-Type": "application/xml; charset=utf-8"}
_ICS = {"Content-Type": "text/calendar; charset=utf-8"}


@dataclass(frozen=True, slots=True)
class Resource:
    """A task as a server holds it. etag: names this state of it; empty where the server did not say."""

    path: str
    etag: str
    text: str

    def holds(self, component: str) -> bool:
        """Return whether there is such a component in it."""
        return f"BEGIN:{component}" in self.text


@dataclass(frozen=True, slots=True)
class Collection:
    """What a server says of a path. components: what it takes; empty where that is not said."""

    path: str
    principal: str = ""
    home: str = ""
    name: str = ""
    kinds: frozenset[str] = frozenset()
    components: frozenset[str] = frozenset()
    rights: frozenset[str] = field(default_factory=frozenset)

    @property
    def is_list(self) -> bool:
        """Whether it is a list, and no inbox or parent of lists."""
        return f"{CAL}calendar" in self.kinds

    def takes(self, component: str) -> bool:
        """Whether it is a list that accepts such components."""
        return self.is_list and (not self.components or component in self.components)

    @property
    def is_writable(self) -> bool:
        """Whether tasks can be written there, as far as that is said."""
        return not self.rights or not self.rights.isdisjoint({f"{DAV}{name}" for name in ("all", "write", "bind")})


def whole(response: requests.Response) -> bool:
    """Return whether an answer that is no error is one that a server of this kind gives, and all of it."""
    content, status = response.content.strip(), response.status_code
    if status == _MANY:
        return _is_multistatus(content)
    method = response.request.method
    if method == "GET":
        return content.startswith(b"BEGIN:VCALENDAR") and content.endswith(b"END:VCALENDAR")
    written = method in ("PUT", "DELETE", "MKCALENDAR") and status in (_OK, _CREATED, _EMPTY)
    return written and (not content or method == "MKCALENDAR" or _is_multistatus(content))


def words(response: requests.Response) -> str:
    """Return what an error in XML says, or a short one in plain text."""
    if response.headers.get("Content-Type", "").startswith("text/plain"):
        return response.content.decode("utf-8", "replace").strip()[:200]
    try:
        root = _parsed(response.content)
    except ValueError:
        return ""
    said = [one.text for one in root.iter() if one.text and one.tag.rpartition("}")[2] in _WORDS]
    return (said[0] if said else ", ".join(one.tag.rpartition("}")[2] for one in root)).strip()


_WORDS = ("message", "responsedescription")
_RIGHTS = b"need-privileges"  # RFC 3744


def is_about_the_entry(response: requests.Response) -> bool:
    """Return whether a refusal (403) has a reason of its own, and is not about the user's rights."""
    return bool(words(response)) and _is_error(response.content) and _RIGHTS not in response.content


class Dav:
    """A server, asked through an `Api`. Paths begin at its root."""

    def __init__(self, api: Api) -> None:
        self._api = api

    @property
    def has_path(self) -> bool:
        """Whether the address of the server is more than its host."""
        return bool(urlsplit(self._api.url).path)

    def properties(self, path: str, *, below: bool = False) -> list[Collection]:
        """Return what a path is, and with `below` what stands directly below it.

        Raises MissingError where it is not there, or BackplanError.
        """
        headers = {**_XML, "Depth": "1" if below else "0"}
        response = self._api.ask("PROPFIND", self._address(path), body=_PROPERTIES, headers=headers, writes=False)
        return [self._collection(response, one) for one in _parsed(response.content).iter(f"{DAV}response")]

    def items(self, path: str, component: str = "", *, having: str = "") -> list[Resource]:
        """Return the entries of a list with such components, or those of them that have a property.

        Without a component, all entries are asked for by another request. Raises as `properties`.
        """
        query = _QUERY % (_COMPONENTS % (component, _WITH % having if having else "") if component else "")
        response = self._api.ask(
            "REPORT", self._address(path), body=query, headers={**_XML, "Depth": "1"}, writes=False
        )
        found = (self._resource(response, one) for one in _parsed(response.content).iter(f"{DAV}response"))
        return [one for one in found if one is not None and one.holds(component)]

    def make_list(self, path: str, name: str, component: str) -> requests.Response:
        """Create a list for such components; return the answer, which may be an error."""
        return self._api.send("MKCALENDAR", self._address(path), body=_MAKE % (escape(name), component), headers=_XML)

    def get(self, path: str) -> Resource | None:
        """Return a task; None where there is none."""
        response = self._api.send("GET", self._address(path))
        if response.status_code in (_GONE, 410):
            return None
        text = self._api.checked(response).content.decode("utf-8", "replace")
        return Resource(path, response.headers.get("ETag", ""), text)

    def put(self, path: str, text: str, condition: Mapping[str, str]) -> requests.Response:
        """Write a task on a condition; return the answer, which may be an error."""
        return self._api.send("PUT", self._address(path), body=text, headers={**_ICS, **condition})

    def delete(self, path: str, condition: Mapping[str, str]) -> requests.Response:
        """Delete a task on a condition; return the answer, which may be an error."""
        return self._api.send("DELETE", self._address(path), headers=condition)

    def _address(self, path: str) -> str:
        return urljoin(f"{self._api.url}/", path)

    def _collection(self, response: requests.Response, found: Element) -> Collection:
        properties = _properties(found)

        def href(name: str) -> str:
            one = properties.get(name)
            said = one.findtext(f"{DAV}href", "") if one is not None else ""
            return _path(response, said) if said else ""

        def tags(name: str, *within: str) -> frozenset[str]:
            one = properties.get(name)
            return (
                frozenset(part.tag for part in one.iterfind("/".join((*within, "*"))))
                if one is not None
                else frozenset()
            )

        components = properties.get(f"{CAL}supported-calendar-component-set")
        name = properties.get(f"{DAV}displayname")
        return Collection(
            _path(response, found.findtext(f"{DAV}href", "")),
            href(f"{DAV}current-user-principal"),
            href(f"{CAL}calendar-home-set"),
            (name.text or "") if name is not None else "",
            tags(f"{DAV}resourcetype"),
            frozenset(part.get("name", "") for part in components) if components is not None else frozenset(),
            tags(f"{DAV}current-user-privilege-set", f"{DAV}privilege"),
        )

    def _resource(self, response: requests.Response, found: Element) -> Resource | None:
        """Return a task of an answer; None for one that is gone. Raises BackplanError where it is not all there."""
        status = found.findtext(f"{DAV}status", "")
        if _code(status) == str(_GONE):
            return None
        properties = _properties(found)
        data, etag = properties.get(f"{CAL}calendar-data"), properties.get(f"{DAV}getetag")
        if status or data is None or not data.text:
            raise unknown("CalDAV", "the tasks", f"it lacks a task: {status or 'no text'}")
        path = _path(response, found.findtext(f"{DAV}href", ""))
        return Resource(path, (etag.text or "").strip() if etag is not None else "", data.text)


def _path(response: requests.Response, href: str) -> str:
    """Return a path as it is asked for; servers write it with or without the host."""
    return urlsplit(urljoin(response.url, href.strip())).path


def _properties(found: Element) -> dict[str, Element]:
    """Return the properties that were found, by name. Raises BackplanError for one that could not be read just now."""
    parts = found.findall(f"{DAV}propstat")
    failed = [status for part in parts if _code(status := part.findtext(f"{DAV}status", ""))[:1] == "5"]
    if failed:
        raise BackplanError(f"CalDAV: its answer is not complete ({failed[0]}); run again")
    good = [part for part in parts if _code(part.findtext(f"{DAV}status", "")) == str(_OK)]
    return {one.tag: one for part in good for prop in part.iterfind(f"{DAV}prop") for one in prop}


def _code(status: str) -> str:
    """Return the number in `HTTP/1.1 200 OK`."""
    return [*status.split(), "", ""][1]


def _parsed(content: bytes) -> Element:
    """Return the root of XML. Raises ValueError where it is none, or declares entities."""
    if b"<!DOCTYPE" in content:
        raise ValueError("it declares a type")
    try:
        return ElementTree.fromstring(content)  # noqa: S314  # entities need a declaration
    except ElementTree.ParseError as error:
        raise ValueError(str(error)) from None


def _is_multistatus(content: bytes) -> bool:
    return _root(content) == f"{DAV}multistatus"


def _is_error(content: bytes) -> bool:
    return _root(content) == f"{DAV}error"


def _root(content: bytes) -> str:
    """Return the name of the outermost element; empty if it is no XML."""
    try:
        return _parsed(content).tag
    except ValueError:
        return ""
