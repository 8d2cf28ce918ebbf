"""From a repository, as it was read, to the connector's snapshot: which issues are ours, and what became of them.

An issue is ours by the marker in its body, where somebody wrote it who may write here: anybody can open an issue. The
memory of a goal stands in the body of the goal's own issue. Issues are listed by our label; where people may have taken
that off, the whole repository is looked through instead.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import TYPE_CHECKING, Any

from config.errors import BackplanError, CredentialsError, RefusedError
from connectors.base import Content, Fact, GoalMemory, Marker, Remembered, Snapshot, Task, client_nonce, digest
from connectors.github_api import MissingError, explain
from connectors.github_text import Body, read_notes, read_title
from connectors.marker import read_marker, read_memory

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from connectors.github_api import Client

_TRUSTED = {"OWNER", "MEMBER", "COLLABORATOR"}
_FEW = 5  # issues that are not listed and are asked for one by one; more, and all are listed
_FACTS = """query($owner: String!, $name: String!) {
  VIEWER
  rateLimit { limit remaining resetAt }
  repository(owner: $owner, name: $name) {
    id nameWithOwner isArchived hasIssuesEnabled viewerPermission
    labels(first: 100) { nodes { id name } pageInfo { hasNextPage } }
    assignableUsers(first: 100) { nodes { id login } pageInfo { hasNextPage } }
  }
  inputs: __type(name: "CreateIssueInput") { inputFields { name } }
}"""


# The repository


@dataclass
class Facts:
    """What there is to know of a repository and of the token's account.

    `labels` are the ids of labels by their names, `people` those of who can be assigned to issues. `nests`: the server
    can put issues below others.
    """

    id: str
    name: str
    login: str
    permission: str
    archived: bool
    issues: bool
    labels: dict[str, str]
    people: dict[str, str]
    nests: bool
    limit: int
    remaining: int
    resets: str

    def spelled(self, name: str) -> str:
        """Return a label's name as the repository spells it: there, case does not tell labels apart."""
        return next((known for known in self.labels if known.casefold() == name.casefold()), name)

    def person(self, name: str) -> str:
        """Return the name of somebody who can be assigned as GitHub writes it; empty where there is nobody."""
        wanted = name.removeprefix("@").casefold()
        return next((login for login in self.people if login.casefold() == wanted), "")

    def refuse_closed(self) -> None:
        """Raise RefusedError where the repository takes no issues."""
        if self.archived:
            raise RefusedError(
                f"github ({self.name}): was archived, so nothing can be written there. Unarchive it in its settings, "
                "or name another repository in the goals file; nothing was changed"
            )
        if not self.issues:
            raise RefusedError(
                f"github ({self.name}): issues are switched off there. Switch them on in Settings > General > "
                "Features, or name another repository in the goals file; nothing was changed"
            )


def read_facts(client: Client) -> Facts:
    """Ask for what there is to know. Raises CredentialsError where the token may not see the repository."""
    owner, _, name = client.repo.partition("/")
    variables = {"owner": owner, "name": name}
    data, errors = client.query(_FACTS.replace("VIEWER", "viewer { login }"), variables)
    if any(error.get("path") == ["viewer"] for error in errors):  # a token that belongs to nobody
        data, errors = client.query(_FACTS.replace("VIEWER\n", "\n"), variables)
    found = data.get("repository")
    if found is None:
        said = explain(errors[0], client.repo) if errors else "no reason given"
        raise CredentialsError(
            f"there is no repository {client.repo}, or the token in GITHUB_TOKEN may not see it: {said}. Look at "
            "`repo:` in the goals file, and let the token reach that repository (nothing was changed)"
        )
    names = {field["name"] for field in (data.get("inputs") or {}).get("inputFields") or ()}
    rate = data.get("rateLimit") or {}
    labels = {label["name"]: label["id"] for label in found["labels"]["nodes"]}
    people = {user["login"]: user["id"] for user in found["assignableUsers"]["nodes"]}
    client.repo = found["nameWithOwner"]  # it may have been renamed
    if found["labels"]["pageInfo"]["hasNextPage"]:
        labels = {label["name"]: label["node_id"] for label in client.listed("labels")}
    if found["assignableUsers"]["pageInfo"]["hasNextPage"]:
        people = {user["login"]: user["node_id"] for user in client.listed("assignees")}
    return Facts(
        found["id"],
        found["nameWithOwner"],
        (data.get("viewer") or {}).get("login", ""),
        found["viewerPermission"] or "unknown",
        found["isArchived"],
        found["hasIssuesEnabled"],
        labels,
        people,
        "parentIssueId" in names,
        rate.get("limit", 0),
        rate.get("remaining", 0),
        rate.get("resetAt", ""),
    )


# Issues


@dataclass(frozen=True, slots=True)
class Milestone:
    """A milestone that an issue is in."""

    number: int
    id: str
    description: str


@dataclass(frozen=True, slots=True)
class Issue:
    """An issue as it was read, or written since. `number` is that by which we know it, wherever it was moved to.

    `trusted`: somebody who may write here made it, or labelled it.
    """

    number: str
    id: str
    title: str
    body: Body
    open: bool
    reason: str = ""
    labels: tuple[str, ...] = ()
    closed_at: str = ""
    comments: int = 0
    children: int = 0
    parent: str = ""
    assignees: tuple[str, ...] = ()
    milestone: Milestone | None = None
    trusted: bool = True

    @classmethod
    def of(cls, said: Mapping[str, Any], number: str, login: str, label: str) -> Issue:
        """Return the issue that an answer of REST is."""
        labels = tuple(one["name"] if isinstance(one, dict) else str(one) for one in said["labels"])
        author = (said.get("user") or {}).get("login", "")
        known = said.get("author_association") in _TRUSTED or (bool(login) and author == login)
        milestone = said.get("milestone")
        return cls(
            number,
            said["node_id"],
            said["title"],
            Body.read(said.get("body") or ""),
            said["state"] == "open",
            said.get("state_reason") or "",
            labels,
            said.get("closed_at") or "",
            said["comments"],
            (said.get("sub_issues_summary") or {}).get("total", 0),
            (said.get("parent_issue_url") or "").rpartition("/")[2],
            tuple(user["login"] for user in said.get("assignees") or ()),
            Milestone(milestone["number"], milestone["node_id"], milestone.get("description") or "")
            if milestone
            else None,
            known or any(name.casefold() == label.casefold() for name in labels),
        )

    def marker(self, namespace: str) -> Marker | None:
        """Return its marker. That of a newer version is a reason to stop only where it is one of ours."""
        text = self.body.marker
        if not self.trusted or not text:
            return None
        try:
            return read_marker(text)
        except RefusedError:
            if f" {namespace} " in text:
                raise
            return None


@dataclass
class Reading:
    """What was found in a repository. `whole`: all its issues were looked through, not only those with our label.

    `homes` are the issues in which the memory of each goal stands, `coming` the lines of goals that have none yet.
    """

    facts: Facts
    namespace: str
    label: str
    issues: dict[str, Issue] = field(default_factory=dict)
    whole: bool = False
    memory: dict[str, GoalMemory] = field(default_factory=dict)
    homes: dict[str, str] = field(default_factory=dict)
    coming: dict[str, str] = field(default_factory=dict)
    damage: str = ""

    @classmethod
    def of(cls, client: Client, facts: Facts, namespace: str, label: str) -> Reading:
        """Read the issues that are ours, as few as tell everything."""
        reading = cls(facts, namespace, label)
        if facts.spelled(label) in facts.labels:
            reading.look(client)
        if reading.misses_some():
            reading.look(client, whole=True)
        reading.seek(client)
        return reading

    def look(self, client: Client, *, whole: bool = False, since: str = "") -> None:
        """Take in the issues with our label, or all of them; `since` a moment, those that changed since."""
        query = {"state": "all", "direction": "asc"} | ({} if whole else {"labels": self.label})
        try:
            for said in client.listed("issues", **query, **({"since": since} if since else {})):
                if "pull_request" not in said:
                    self.take(said, str(said["number"]))
        except MissingError as error:
            raise BackplanError(f"{error}; run again (nothing was changed)") from None
        except (KeyError, TypeError, AttributeError) as error:
            raise BackplanError(
                f"GitHub's answer has a form that is not known here ({error}); update backplan"
            ) from None
        self.whole |= whole and not since
        self._remember()

    def take(self, said: Mapping[str, Any], number: str) -> None:
        """Take in an issue."""
        self.issues[number] = Issue.of(said, number, self.facts.login, self.label)

    def misses_some(self) -> bool:
        """Return whether there may be issues of ours that are not listed: people take labels off."""
        keys = {marker.key for issue in self.issues.values() if (marker := self.ours(issue))}
        absent = self._absent()
        waiting = any(entry.state == "pending" and key not in keys for key, entry in self.entries())
        lost = any(key.partition("/")[0] not in self.memory for key in keys)
        return not self.memory or lost or len(absent) > _FEW or bool(waiting and absent)

    def seek(self, client: Client) -> None:
        """Ask for what is remembered as open and not listed: it was moved elsewhere, lost its label, or was deleted."""
        for number in sorted(self._absent(), key=int):
            if said := client.issue(number):
                self.take(said, number)
                self.issues[number] = replace(self.issues[number], trusted=True)

    def entries(self) -> Iterator[tuple[str, Remembered]]:
        """Yield every key that is remembered."""
        for goal in self.memory.values():
            yield from goal.keys.items()

    def ours(self, issue: Issue) -> Marker | None:
        """Return the marker of an issue of our namespace."""
        marker = issue.marker(self.namespace)
        return marker if marker and marker.namespace == self.namespace else None

    def _absent(self) -> set[str]:
        live = {entry.native_id for _, entry in self.entries() if entry.state == "live"}
        return {number for number in live - self.issues.keys() if number.isdecimal()}

    def _remember(self) -> None:
        """Find the memory of each goal: in its issue, of two in the elder; else in the last that it had."""
        self.memory, self.homes, self.damage = {}, {}, ""
        found: dict[str, list[tuple[Issue, GoalMemory]]] = {}
        for issue in self._by_number():
            if not issue.trusted:
                continue
            try:
                for goal_id, goal in read_memory(issue.body.lines_of(self.namespace)).items():
                    found.setdefault(goal_id, []).append((issue, goal))
            except ValueError as error:
                self.damage = f"github ({self.facts.name}): issue #{issue.number}: {error}"
        for goal_id, places in found.items():
            live = [place for place in places if (marker := self.ours(place[0])) and marker.key == goal_id]
            issue, goal = live[0] if live else places[-1]
            self.memory[goal_id], self.homes[goal_id] = goal, issue.number

    def _by_number(self) -> list[Issue]:
        return sorted(self.issues.values(), key=lambda issue: int(issue.number))

    # The snapshot

    def snapshot(self) -> Snapshot:
        """Return what the connector tells of it."""
        others: dict[str, frozenset[str]] = {}
        ours: dict[str, list[tuple[Issue, Marker]]] = {}
        damaged: set[str] = set()
        for issue, marker, whole in self._managed():
            if marker.namespace != self.namespace:
                others[marker.namespace] = others.get(marker.namespace, frozenset()) | {marker.key}
                continue
            ours.setdefault(marker.nonce, []).append((issue, marker))
            if not whole:
                damaged.add(issue.number)
        originals = {self._original(alike) for alike in ours.values()}
        below = self._own_children({issue.number for alike in ours.values() for issue, _ in alike})
        found = [(issue, self._task(issue, marker, below)) for alike in ours.values() for issue, marker in alike]
        return Snapshot(
            tuple(task for issue, task in found if issue.number in originals),
            tuple(task for issue, task in found if issue.number not in originals),
            self.memory,
            remembers=bool(self.memory) or not originals,
            others=others,
            damaged=frozenset(damaged & originals),
            damage=self.damage,
            account=frozenset({self.facts.login} - {""}),
        )

    def _managed(self) -> Iterator[tuple[Issue, Marker, bool]]:
        """Yield the issues with a marker, and whether it is whole."""
        live = {entry.native_id: (key, entry) for key, entry in self.entries() if entry.state == "live"}
        for issue in self._by_number():
            marker = issue.marker(self.namespace)
            if marker is not None:
                yield issue, marker, True
            elif issue.number in live:
                key, entry = live[issue.number]
                nonce = client_nonce(self.namespace, key, entry.generation)
                yield issue, Marker(self.namespace, key, nonce, entry.generation), False

    def _original(self, alike: list[tuple[Issue, Marker]]) -> str:
        """Return which of the issues with one nonce we made: that which we remember, without one the eldest."""
        first, marker = alike[0]
        goal = self.memory.get(marker.key.partition("/")[0])
        entry = goal.keys.get(marker.key) if goal else None
        return next((issue.number for issue, _ in alike if entry and issue.number == entry.native_id), first.number)

    def _own_children(self, ours: set[str]) -> dict[str, int]:
        count: dict[str, int] = {}
        for number in ours:
            parent = self.issues[number].parent
            count[parent] = count.get(parent, 0) + 1
        return count

    def _task(self, issue: Issue, marker: Marker, below: Mapping[str, int]) -> Task:
        dropped = not issue.open and issue.reason in ("not_planned", "duplicate")
        done = not issue.open and not dropped
        return Task(
            issue.number,
            self.content(issue, marker),
            marker,
            done=done,
            done_on=datetime.fromisoformat(issue.closed_at).date() if done and issue.closed_at else None,
            dropped=dropped,
            touched=bool(issue.comments or issue.body.added or issue.children > below.get(issue.number, 0)),
        )

    def content(self, issue: Issue, marker: Marker | None) -> Content:
        """Return what people see of an issue, without what is ours."""
        body, dates = issue.body, issue.body.dates
        applied = marker.applied.get("who") if marker else None
        who = next((login for login in issue.assignees if digest(login) == applied), next(iter(issue.assignees), ""))
        return Content(
            read_title(issue.title),
            dates.due,
            read_notes(body.notes, meant=body.meant),
            in_order(issue.labels, self.label),
            start=dates.start,
            who=who,
            checklist=body.checklist,
        )


def in_order(labels: Iterable[str], own: str) -> tuple[str, ...]:
    """Return labels as they are compared: each once, without our own, in an order that does not hang on GitHub."""
    by_name = {label.casefold(): label for label in labels if label.casefold() != own.casefold()}
    return tuple(by_name[name] for name in sorted(by_name))


def doctor(facts: Facts) -> list[Fact]:
    """Return what there is to say of the account, the repository, what can be written there, and the limits."""
    try:
        facts.refuse_closed()
    except RefusedError as error:
        there = Fact("repository", False, str(error))
    else:
        there = Fact("repository", True, f"{facts.name} is there, and takes issues")
    may = facts.permission in ("ADMIN", "MAINTAIN", "WRITE", "TRIAGE")
    rights = f"{facts.permission.lower()} on {facts.name}"
    lacks = "" if may else ": labels, milestones and sub-issues need the right to write there; GitHub leaves them out"
    nests = "steps are sub-issues of their goal" if facts.nests else "this server has no sub-issues; steps stand alone"
    return [
        Fact("account", True, facts.login or "the token of a workflow"),
        there,
        Fact("rights", may, rights + lacks),
        Fact("structure", True, nests),
        Fact(
            "requests",
            True,
            f"{facts.remaining:,} of {facts.limit:,} are left until {facts.resets}; besides, GitHub takes about 80 "
            "changes a minute and 500 an hour, and backplan keeps to that",
        ),
    ]
