"""A stand-in for servers of CalDAV that cannot be installed here: sabre/dav (Baïkal), Nextcloud, and Cyrus (Fastmail).

It has what they do in ways of their own, as `Habits`; what all servers do is that of the real Radicale and Xandikos.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from hashlib import md5
from typing import TYPE_CHECKING, NamedTuple
from xml.etree import ElementTree
from xml.sax.saxutils import escape

from tests.servers.dav import CAL, DAV, PASSWORD, USER, DavServer, login
from tests.servers.http import Request, Response

if TYPE_CHECKING:
    from collections.abc import Iterable

_NAMES = 'xmlns:d="DAV:" xmlns:cal="urn:ietf:params:xml:ns:caldav" xmlns:s="http://sabredav.org/ns"'
_HOME, _PRINCIPAL = "/ann/", "/principals/ann/"
_REALM = "a calendar"
_XML = "application/xml; charset=utf-8"


@dataclass(frozen=True)
class Habits:
    """What a server does in its own way.

    - strict: refuses dates that contradict each other (415), and a query without a depth (400)
    - once: where an id can be only once: in a `list`, in the `account`; or empty, and two entries may share it
    - conflict: the answer then: its status, and what it says
    - keeps_deleted: what is deleted goes to a trash bin, and its id is in use there
    - splits: a label with a comma becomes two
    - in_use: the status for a list that is made where one is
    - most_lists: how many lists can be made, before it is said to wait
    - login: how users log in
    """

    name: str
    strict: bool = False
    once: str = ""
    conflict: tuple[int, str] = (0, "")
    keeps_deleted: bool = False
    splits: bool = False
    in_use: int = 405
    most_lists: int = 1000
    login: str = "Basic"


SABRE = Habits("sabre", strict=True)
_TAKEN = "<s:message>Calendar object with uid already exists in this calendar collection.</s:message>"
NEXTCLOUD = Habits("Nextcloud", True, "list", (400, _TAKEN), keeps_deleted=True, most_lists=10)
_ELSEWHERE = "<cal:unique-scheduling-object-resource><d:href>%s</d:href></cal:unique-scheduling-object-resource>"
CYRUS = Habits("Cyrus", False, "account", (403, _ELSEWHERE), splits=True, in_use=403)


class Entry(NamedTuple):
    """A task or event, and the name of its state."""

    text: str
    etag: str


class CalDAVServer(DavServer):
    """A server with some habits, whose lists and entries are in memory. Users log in only over the network.

    rejected: how many logins were wrong; a server counts them, and locks the user out.
    """

    def __init__(self, habits: Habits = NEXTCLOUD) -> None:
        super().__init__()
        self.habits = habits
        self.lists: dict[str, tuple[str, frozenset[str]]] = {}
        self.entries: dict[str, Entry] = {}
        self.bin: dict[str, str] = {}  # the path that a deleted entry had, by its id
        self.full: set[str] = set()  # paths of which the bin takes no more
        self.read_only: set[str] = set()
        self.rejected = 0
        self.nonce = "first"
        self._made, self._states = 0, 0
        self.make_list(self.list, "Goals")

    def answer(self, request: Request) -> Response:
        with self._guard:
            if not self._is_welcome(request):
                return self._unauthorized(request)
            return self.asked(request, "")

    def asked(self, request: Request, authorization: str) -> Response:
        method = {
            "PROPFIND": self._propfind,
            "REPORT": self._report,
            "GET": self._get,
            "PUT": self._put,
            "DELETE": self._delete,
            "MKCALENDAR": self._make,
        }[request.method]
        return method(request)

    # Who asks

    def _is_welcome(self, request: Request) -> bool:
        given = request.headers.get("authorization", "")
        if self.habits.login == "Basic":
            return given == login()
        if self.habits.login == "Bearer":
            return given == f"Bearer {PASSWORD}"
        said = dict(re.findall(r'(\w+)="?([^",]+)"?', given.removeprefix("Digest ")))
        if not given.startswith("Digest ") or said.get("nonce") != self.nonce:
            return False
        secret = _md5(f"{USER}:{_REALM}:{PASSWORD}")
        asked = _md5(f"{request.method}:{said['uri']}")
        wanted = _md5(":".join([secret, self.nonce, said["nc"], said["cnonce"], said["qop"], asked]))
        return (said["username"], said["response"]) == (USER, wanted)

    def _unauthorized(self, request: Request) -> Response:
        given = request.headers.get("authorization", "")
        is_new = self.habits.login == "Digest" and f'nonce="{self.nonce}"' not in given
        self.rejected += given.startswith(f"{self.habits.login} ") and not is_new
        more = f', qop="auth", nonce="{self.nonce}", algorithm=MD5' if self.habits.login == "Digest" else ""
        return _error(401, "", ("WWW-Authenticate", f'{self.habits.login} realm="{_REALM}"{more}'))

    # What is there

    def _propfind(self, request: Request) -> Response:
        path = request.path
        if path == "/.well-known/caldav":
            return Response(301, headers=(("Location", "/"),))
        known = {"/": "", _PRINCIPAL: "", _HOME: "", **dict.fromkeys(self.lists, "")}
        if path not in known:
            return _error(404, "<s:message>Node could not be found</s:message>")
        below = [one for one in self.lists if path == _HOME] if request.headers.get("depth") != "0" else []
        return _multistatus(_found(one, self._properties(one)) for one in [path, *below])

    def _properties(self, path: str) -> str:
        shared = f"<d:current-user-principal><d:href>{_PRINCIPAL}</d:href></d:current-user-principal>"
        if path == _PRINCIPAL:
            return f"{shared}<cal:calendar-home-set><d:href>{_HOME}</d:href></cal:calendar-home-set>"
        if path not in self.lists:
            return f"{shared}<d:resourcetype><d:collection/></d:resourcetype>"
        name, components = self.lists[path]
        takes = "".join(f'<cal:comp name="{one}"/>' for one in sorted(components))
        rights = ("read",) if path in self.read_only else ("read", "write")
        return (
            f"{shared}<d:resourcetype><d:collection/><cal:calendar/></d:resourcetype>"
            f"<d:displayname>{escape(name)}</d:displayname>"
            f"<cal:supported-calendar-component-set>{takes}</cal:supported-calendar-component-set>"
            "<d:current-user-privilege-set>"
            + "".join(f"<d:privilege><d:{one}/></d:privilege>" for one in rights)
            + "</d:current-user-privilege-set>"
        )

    def _report(self, request: Request) -> Response:
        if request.path not in self.lists:
            return _error(404, "<s:message>Node could not be found</s:message>")
        if request.headers.get("depth") != "1":
            return _error(400, "<s:message>a depth is needed</s:message>") if self.habits.strict else _multistatus(())
        root = ElementTree.fromstring(request.body)  # noqa: S314  # our own connector's
        part = root.find(f"{CAL}filter/{CAL}comp-filter/{CAL}comp-filter")
        name = part.get("name", "") if part is not None else "VCALENDAR"
        having = part.find(f"{CAL}prop-filter") if part is not None else None
        line = rf"(?m)^{having.get('name', '')}[:;]" if having is not None else ""
        return _multistatus(
            _found(path, f"<d:getetag>{escape(etag)}</d:getetag><cal:calendar-data>{escape(text)}</cal:calendar-data>")
            for path, (text, etag) in self.entries.items()
            if _list_of(path) == request.path and f"BEGIN:{name}" in text and re.search(line, text)
        )

    def _get(self, request: Request) -> Response:
        if request.path not in self.entries:
            return _error(404, "<s:message>Node could not be found</s:message>")
        text, etag = self.entries[request.path]
        return Response(200, text.encode(), "text/calendar", (("ETag", etag),))

    # What is written

    def _put(self, request: Request) -> Response:
        path, text = request.path, request.body.decode()
        if _list_of(path) not in self.lists:
            return _error(409, "<s:message>Parent node does not exist</s:message>")
        if refused := self._refused(request):
            return refused
        kind = re.search(r"BEGIN:(V(?:TODO|EVENT|JOURNAL))", text)
        uid = re.search(r"(?m)^UID:(\S+)", text)
        if kind is None or uid is None or kind[1] not in self.lists[_list_of(path)][1]:
            return _error(403, "<cal:supported-calendar-component/>")
        if self.habits.strict and (why := _contradiction(text)):
            return _error(415, f"<s:message>Validation error in iCalendar: {why}</s:message>")
        if self.habits.keeps_deleted and uid[1] in self.bin:
            words = "Deleted calendar object with uid already exists in this calendar collection."
            return _error(400, f"<s:message>{words}</s:message>")
        if other := next((one for one in self._near(path) if f"\nUID:{uid[1]}\r\n" in self.entries[one].text), ""):
            status, words = self.habits.conflict
            return _error(status, words.replace("%s", other))
        if self.habits.splits:
            text = re.sub(r"(?m)^CATEGORIES:(.*?)\r$", _split, text)
        known, self._states = path in self.entries, self._states + 1
        self.entries[path] = Entry(text, f'"{self._states}"')
        return Response(204 if known else 201, headers=(("ETag", self.entries[path].etag),))

    def _near(self, path: str) -> list[str]:
        """Return the paths of other entries that may not have the same id."""
        others = [one for one in self.entries if one != path]
        if self.habits.once == "list":
            return [one for one in others if _list_of(one) == _list_of(path)]
        return others if self.habits.once else []

    def _refused(self, request: Request) -> Response | None:
        """Return an error if the list is read-only, or a condition does not hold."""
        if _list_of(request.path) in self.read_only:
            return _error(403, "<d:need-privileges/>")
        known = self.entries.get(request.path)
        wanted = request.headers.get("if-match")
        if (request.headers.get("if-none-match") and known) or (wanted and (not known or known.etag != wanted)):
            return _error(412, "<s:message>An If-Match header was specified, but the state differs</s:message>")
        return None

    def _delete(self, request: Request) -> Response:
        path = request.path
        if path in self.lists:
            del self.lists[path]
            self.entries = {one: entry for one, entry in self.entries.items() if _list_of(one) != path}
            return Response(204)
        if refused := self._refused(request):
            return refused
        if path not in self.entries:
            return _error(404, "<s:message>Node could not be found</s:message>")
        if path in self.full:
            words = f"{path} can't be moved into the trashbin, since an object of that name already exists there"
            return _error(403, f"<s:message>{words}</s:message>")
        text = self.entries.pop(path).text
        if self.habits.keeps_deleted and (uid := re.search(r"(?m)^UID:(\S+)", text)):
            self.bin[uid[1]] = path
        return Response(204)

    def _make(self, request: Request) -> Response:
        if request.path in self.lists:
            return _error(self.habits.in_use, "<d:resource-must-be-null/>")
        if self._made >= self.habits.most_lists:
            words = "Too many calendars created in the last hour"
            return _error(429, f"<s:message>{words}</s:message>", ("Retry-After", "3600"))
        root = ElementTree.fromstring(request.body)  # noqa: S314  # our own connector's
        components = frozenset(one.get("name", "") for one in root.iter(f"{CAL}comp"))
        self.lists[request.path] = (next(root.iter(f"{DAV}displayname")).text or "", components)
        self._made += 1
        return Response(201)


def _list_of(path: str) -> str:
    return f"{path.rpartition('/')[0]}/"


def _split(found: re.Match[str]) -> str:
    """Return a line for each label."""
    return "\r\n".join(f"CATEGORIES:{label.rstrip(chr(92))}" for label in found[1].split(",")) + "\r"


def _contradiction(text: str) -> str:
    """Return what sabre/dav says of dates that contradict each other; empty if there is none."""
    lines = {name: (options, day) for name, options, day in re.findall(r"(?m)^(DUE|DTSTART)([^:\r\n]*):(\S+)", text)}
    for name, (options, day) in lines.items():
        if len(day) == len("20270101") and "VALUE=DATE" not in options:
            return f"{name} is no date-time"
    if len(lines) == 2 and len({"VALUE=DATE" in options for options, _ in lines.values()}) == 2:
        return "DUE and DTSTART must be of one type"
    if len(lines) == 2 and lines["DUE"][1] < lines["DTSTART"][1]:
        return "DUE must occur after DTSTART"
    return ""


def _found(path: str, properties: str) -> str:
    return (
        f"<d:response><d:href>{path}</d:href><d:propstat><d:prop>{properties}</d:prop>"
        "<d:status>HTTP/1.1 200 OK</d:status></d:propstat></d:response>"
    )


def _multistatus(found: Iterable[str]) -> Response:
    return Response(207, f"<d:multistatus {_NAMES}>{''.join(found)}</d:multistatus>".encode(), _XML)


def _error(status: int, words: str, *headers: tuple[str, str]) -> Response:
    return Response(status, f"<d:error {_NAMES}>{words}</d:error>".encode(), _XML, headers)


def _md5(text: str) -> str:
    return md5(text.encode(), usedforsecurity=False).hexdigest()
