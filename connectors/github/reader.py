"""From a repository, as it was read, to the connector's snapshot: which issues are ours, and what became of them.

An issue is ours by the marker in its body, where somebody wrote it who may write here: anybody can open an issue. The
memory of a goal stands in the body of the goal's own issue. Issues are listed by our label; where people may have taken
that off, the whole repository is looked through instead.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import date, datetime
from typing import TYPE_CHECKING

from config.errors import BackplanError, MissingError
from config.keys import goal_of
from connectors.codec import read_memory
from connectors.days import is_far
from connectors.github.answers import IssueAnswer, NumberAnswer
from connectors.github.body import read_notes, read_title
from connectors.github.closing import DONE, NOT_PLANNED, closed_by_robots
from connectors.github.date_line import day_without_due, in_words
from connectors.github.errors import understood
from connectors.github.issue import Issue, Item
from connectors.github.unmarked import strays
from connectors.model import Content, Marker, Snapshot, StoredGoal, StoredKey, Task, digest
from connectors.snapshot import damaged_marker

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from connectors.github.api import Client
    from connectors.github.repository import DateFields, Project, RepositoryInfo
    from connectors.model import StepState

_REMEDY = "Restore their text: “edited” above it shows earlier ones"
_FEW = 5  # issues that are not listed and are asked for one by one; more, and all are listed


_ITEMS = """query($ids: [ID!]!, $field: String!) {
  nodes(ids: $ids) { ... on Issue { id projectItems(first: 50) { nodes {
    id project { id } fieldValueByName(name: $field) { ... on ProjectV2ItemFieldDateValue { date } }
  } } } }
}"""
_MOST_NODES = 100


@dataclass
class Reading:
    """What was found in a repository. `whole`: all its issues were looked through, not only those with our label.

    `homes` are the issues in which the memory of each goal stands, `coming` the lines of goals that have none yet.
    `keys` are those of our issues by their nonces, `linked` those of what blocks each. `fields` are those in which the
    organization's issues show dates. `items` are the places of issues in `project`. `blocked_by` are the numbers of
    what blocks an issue, where that is not what its body tells. `robots` are those that closed an issue as not planned,
    by its number.
    """

    facts: RepositoryInfo
    namespace: str
    label: str
    fields: DateFields | None = None
    issues: dict[str, Issue] = field(default_factory=dict)
    whole: bool = False
    memory: dict[str, StoredGoal] = field(default_factory=dict)
    homes: dict[str, str] = field(default_factory=dict)
    coming: dict[str, str] = field(default_factory=dict)
    damage: str = ""
    remedy: str = ""
    keys: dict[str, str] = field(default_factory=dict)
    linked: dict[str, tuple[str, ...]] = field(default_factory=dict)
    project: Project | None = None
    items: dict[str, Item] = field(default_factory=dict)
    blocked_by: dict[str, tuple[str, ...]] = field(default_factory=dict)
    robots: dict[str, str] = field(default_factory=dict)

    @classmethod
    def of(
        cls, client: Client, facts: RepositoryInfo, namespace: str, label: str, fields: DateFields | None
    ) -> Reading:
        """Read the issues that are ours, as few as tell everything."""
        reading = cls(facts, namespace, label, fields)
        if facts.spelled(label) in facts.labels:
            reading.look(client)
        if reading.misses_some():
            reading.look(client, whole=True)
        reading.seek(client)
        reading.see_who_closed(client)
        return reading

    def look(self, client: Client, *, whole: bool = False, since: str = "") -> None:
        """Take in the issues with our label, or all of them; `since` a moment, those that changed since."""
        query = {"state": "all", "direction": "asc"} | ({} if whole else {"labels": self.label})
        try:
            with understood("the issues"):
                for said in client.listed("issues", **query, **({"since": since} if since else {})):
                    issue = IssueAnswer.read(said)
                    if issue.pull_request is None:
                        self._take(issue, str(issue.number))
        except MissingError as error:
            raise BackplanError(f"{error}; run again (nothing was changed)") from None
        self.whole |= whole and not since
        self.remember()

    def take(self, said: object, number: str) -> None:
        """Take in an issue by the number by which we know it."""
        with understood(f"issue #{number}"):
            self._take(IssueAnswer.read(said), number)

    def _take(self, said: IssueAnswer, number: str) -> None:
        self.issues[number] = Issue.of(said, number, self.facts.login, self.label, self.fields)

    def misses_some(self) -> bool:
        """Return whether there may be issues of ours that are not listed: people take labels off."""
        keys = {marker.key for issue in self.issues.values() if (marker := self.ours(issue))}
        absent = self._absent()
        waiting = any(entry.state == "pending" and key not in keys for key, entry in self.entries())
        lost = any(goal_of(key) not in self.memory for key in keys)
        return not self.memory or lost or len(absent) > _FEW or bool(waiting and absent)

    def seek(self, client: Client) -> None:
        """Ask for what is remembered as open and not listed: it was moved elsewhere, lost its label, or was deleted."""
        for number in sorted(self._absent(), key=int):
            if said := client.issue(number):
                self.take(said, number)
                self.issues[number] = replace(self.issues[number], trusted=True)

    def see_who_closed(self, client: Client) -> None:
        """Ask who closed the issues of ours that are not known as dropped yet."""
        closed = {
            issue.id: issue.number
            for issue, marker, _ in self._managed()
            if not issue.open
            and issue.reason in NOT_PLANNED
            and marker.namespace == self.namespace
            and self._state(marker.key) != "dropped"
        }
        self.robots = {closed[node_id]: login for node_id, login in closed_by_robots(client, closed).items()}

    def _state(self, key: str) -> StepState:
        """Return what is remembered of a key; of one that is new, that it is open."""
        goal = self.memory.get(goal_of(key))
        entry = goal.keys.get(key) if goal else None
        return entry.state if entry else "live"

    def read_project(self, client: Client, project: Project) -> None:
        """Read the dates that our open issues have in a project."""
        self.project = project
        numbers = {issue.id: issue.number for issue in self.issues.values() if issue.open and self.ours(issue)}
        ids = list(numbers)
        for start in range(0, len(ids), _MOST_NODES):
            variables = {"ids": ids[start : start + _MOST_NODES], "field": project.field}
            data, errors = client.query(_ITEMS, variables)
            if errors or not data:
                raise BackplanError("GitHub does not tell the dates of a project; run again (nothing was changed)")
            with understood("the dates of a project"):
                for node in filter(None, data["nodes"]):
                    for item in node["projectItems"]["nodes"]:
                        if item["project"]["id"] == project.id:
                            self.items[numbers[node["id"]]] = Item.of(item)

    def read_links(self, client: Client) -> None:
        """Ask for what blocks an issue, where it is not as much as its body tells."""
        known = {marker.nonce for _, marker, _ in self._managed()}
        for issue in self.by_number():
            told = issue.body.aside.blocked_by
            if self.ours(issue) and issue.open and (issue.blocks != len(told) or not known.issuperset(told)):
                listed = client.listed(f"issues/{issue.number}/dependencies/blocked_by") if issue.blocks else ()
                with understood(f"what blocks issue #{issue.number}"):
                    self.blocked_by[issue.number] = tuple(str(NumberAnswer.read(said).number) for said in listed)

    def entries(self) -> Iterator[tuple[str, StoredKey]]:
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

    def remember(self) -> None:
        """Find the memory of each goal: in its issue, of two in the elder; else in the last that it had."""
        self.memory, self.homes, self.damage, self.remedy = {}, {}, "", ""
        found: dict[str, list[tuple[Issue, StoredGoal]]] = {}
        for issue in self.by_number():
            if not issue.trusted:
                continue
            try:
                for goal_id, goal in read_memory(issue.body.lines_of(self.namespace)).items():
                    found.setdefault(goal_id, []).append((issue, goal))
            except ValueError as error:
                self.damage = f"github ({self.facts.name}): issue #{issue.number}: {error}"
                self.remedy = f"Restore the text of issue #{issue.number}: “edited” above it shows earlier ones"
        for goal_id, places in found.items():
            live = [place for place in places if (marker := self.ours(place[0])) and marker.key == goal_id]
            issue, goal = live[0] if live else places[-1]
            self.memory[goal_id], self.homes[goal_id] = goal, issue.number
        self._miss_memory()

    def _miss_memory(self) -> None:
        """Take note of goals of which there are issues and no memory: it stood in the text of the goal's own issue."""
        known = {entry.native_id for _, entry in self.entries()}
        lost: dict[str, str] = {}
        for issue in self.by_number():
            marker = self.ours(issue)
            if marker and goal_of(marker.key) not in self.memory and not known & {issue.number, marker.nonce}:
                own = issue.number if "/" not in marker.key else issue.parent
                lost[goal_of(marker.key)] = lost.get(goal_of(marker.key)) or own
        if lost and not self.damage:
            goal_id, number = next(iter(lost.items()))
            where = f"issue #{number}" if number in self.issues else "its own issue"
            self.damage = f"github ({self.facts.name}): the memory of `{goal_id}` in the text of {where} is gone"
            self.remedy = "Restore that text: “edited” above it shows earlier ones" if number in self.issues else ""

    def by_number(self) -> list[Issue]:
        """Return the issues, the eldest first."""
        return sorted(self.issues.values(), key=lambda issue: int(issue.number))

    # The snapshot

    def snapshot(self) -> Snapshot:
        """Return what the connector tells of it."""
        by_nonce, others, damaged = self._grouped()
        ours = [pair for alike in by_nonce.values() for pair in alike]
        numbers = {issue.number for issue, _ in ours}
        originals = {self._original(alike) for alike in by_nonce.values()}
        self.keys = {nonce: alike[0][1].key for nonce, alike in by_nonce.items()}
        self.linked = {issue.number: self._after(issue) for issue, _ in ours}
        below = self._own_children(numbers)
        tasks = [self._task(issue, marker, below) for issue, marker in ours]
        return Snapshot(
            tuple(task for task in tasks if task.native_id in originals),
            tuple(task for task in tasks if task.native_id not in originals),
            self.memory,
            remembers=bool(self.memory) or not originals,
            others=others,
            damaged=frozenset(damaged & originals),
            damage=self.damage,
            remedy=self.remedy if self.damage else _REMEDY,
            account=frozenset({self.facts.login} - {""}),
            strays=tuple(strays(self.by_number(), self.label, numbers, self.content)),
        )

    def _grouped(self) -> tuple[dict[str, list[tuple[Issue, Marker]]], dict[str, frozenset[str]], set[str]]:
        """Return our issues by nonce, the keys of other namespaces, and the numbers of issues with a damaged marker."""
        by_nonce: dict[str, list[tuple[Issue, Marker]]] = {}
        others: dict[str, frozenset[str]] = {}
        damaged: set[str] = set()
        for issue, marker, whole in self._managed():
            if marker.namespace != self.namespace:
                others[marker.namespace] = others.get(marker.namespace, frozenset()) | {marker.key}
                continue
            by_nonce.setdefault(marker.nonce, []).append((issue, marker))
            if not whole:
                damaged.add(issue.number)
        return by_nonce, others, damaged

    def _managed(self) -> Iterator[tuple[Issue, Marker, bool]]:
        """Yield the issues with a marker, and whether it is whole."""
        live = {entry.native_id: (key, entry) for key, entry in self.entries() if entry.state == "live"}
        for issue in self.by_number():
            marker = issue.marker(self.namespace)
            if marker is not None:
                yield issue, marker, True
            elif issue.number in live:
                key, entry = live[issue.number]
                yield issue, damaged_marker(issue.body.marker, self.namespace, key, entry), False

    def _original(self, alike: list[tuple[Issue, Marker]]) -> str:
        """Return which of the issues with one nonce we made: that which we remember, without one the eldest."""
        first, marker = alike[0]
        goal = self.memory.get(goal_of(marker.key))
        entry = goal.keys.get(marker.key) if goal else None
        return next((issue.number for issue, _ in alike if entry and issue.number == entry.native_id), first.number)

    def _own_children(self, ours: set[str]) -> dict[str, int]:
        count: dict[str, int] = {}
        for number in ours:
            parent = self.issues[number].parent
            count[parent] = count.get(parent, 0) + 1
        return count

    def _task(self, issue: Issue, marker: Marker, below: Mapping[str, int]) -> Task:
        robot, unread = self.robots.get(issue.number, ""), _unread(issue, marker)
        done = not issue.open and issue.reason in DONE
        dropped = not issue.open and issue.reason in NOT_PLANNED and not robot
        moment = datetime.fromisoformat(issue.closed_at) if done and issue.closed_at else None
        if unread:  # then nothing is news
            state = self._state(marker.key)
            done, dropped = state == "done", state == "dropped"
        return Task(
            issue.number,
            self.content(issue, marker),
            marker,
            done=done,
            done_at=moment,
            dropped=dropped,
            touched=bool(issue.comments or issue.body.added or issue.children > below.get(issue.number, 0)),
            unread=unread,
            remark=_closed_by(issue, robot) if robot else "",
        )

    def content(self, issue: Issue, marker: Marker | None) -> Content:
        """Return what people see of an issue, without what is ours."""
        body = issue.body
        applied = marker.applied.get("who") if marker else None
        who = next((login for login in issue.assignees if digest(login) == applied), next(iter(issue.assignees), ""))
        return Content(
            read_title(issue.title),
            self._due(issue, marker),
            read_notes(body.notes, meant=body.meant),
            in_order(issue.labels, self.label),
            start=body.dates.start,
            who=who,
            checklist=body.checklist,
            after=self._after(issue),
        )

    def _due(self, issue: Issue, marker: Marker | None) -> date | None:
        """Return when an issue is due: what a person wrote in its body, else what they set outside of it.

        What stands there is a person's where it is neither what we last wrote there nor what we were about to.
        """
        if marker is not None and _unread_day(issue, marker):
            return marker.due
        due, item, aside = issue.body.dates.due, self.items.get(issue.number), issue.body.aside
        if marker is None or due != marker.due:
            return due
        planned = self.planned(marker.key)
        if item is not None and item.date not in (aside.project, *planned):
            return item.date
        return due if issue.shown.due in (None, aside.field, *planned) else issue.shown.due

    def planned(self, key: str) -> tuple[date, ...]:
        """Return the last day that a step was to get when it was last published; none for a goal."""
        goal = self.memory.get(goal_of(key))
        return goal.dates.get(key, ())[1:] if goal else ()

    def _after(self, issue: Issue) -> tuple[str, ...]:
        """Return the keys of what an issue of ours is blocked by."""
        if issue.number in self.blocked_by:
            others = [self.issues[number] for number in self.blocked_by[issue.number] if number in self.issues]
            return tuple(sorted(marker.key for other in others if (marker := self.ours(other))))
        return tuple(sorted(key for nonce in issue.body.aside.blocked_by if (key := self.keys.get(nonce))))


def _closed_by(issue: Issue, robot: str) -> str:
    reason = issue.reason.replace("_", " ")
    return f"#{issue.number}: closed as {reason} by `{robot}`, a robot: it counts as open"


def _unread(issue: Issue, marker: Marker) -> str:
    """Return a sentence on what of an issue cannot be read; empty where all can."""
    if not issue.open:  # then it keeps the dates that it had
        known = issue.reason in (*NOT_PLANNED, *DONE)
        return "" if known else f"#{issue.number}: closed as `{issue.reason}`, which is not known here; update backplan"
    if not (words := _unread_day(issue, marker)):
        return ""
    stays = f"the date stays {in_words(marker.due)}" if marker.due else "there is no date"
    return (
        f"#{issue.number}: cannot read the date `{words}`; {stays} until it can be read. Write it as in `Due 9 May "
        "2027` or `Due 2027-05-09`"
    )


def _unread_day(issue: Issue, marker: Marker) -> str:
    """Return the words of an issue's date that cannot be read, or cannot be meant; empty where there are none.

    Where the date line is gone and somebody changed the text, a day there may be meant for it.
    """
    body, due = issue.body, issue.body.dates.due
    if body.unread:
        return body.unread
    if not body.line and marker.due is not None:
        changed = digest(read_notes(body.notes, meant=body.meant)) != marker.applied.get("notes")
        return day_without_due(body.above + body.notes) if changed else ""
    return in_words(due) if due and is_far(due, marker.due) else ""


def in_order(labels: Iterable[str], own: str) -> tuple[str, ...]:
    """Return labels as they are compared: each once, without our own, in an order that does not hang on GitHub."""
    by_name = {label.casefold(): label for label in labels if label.casefold() != own.casefold()}
    return tuple(by_name[name] for name in sorted(by_name))
