"""Hostile text, in the goals file and in what other people write in a shared list: it stays text, and harms nobody."""

from __future__ import annotations

import json
import re
import tempfile
import time
from dataclasses import replace
from datetime import date
from html.parser import HTMLParser
from pathlib import Path
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree as ET

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from icalendar import Calendar
from markdown_it import MarkdownIt

from config import display
from connectors.base import Action, StoreWrite, Write
from connectors.codec import write_marker
from connectors.markdown.connector import MarkdownConnector
from connectors.model import Content, Marker, client_nonce, digest
from sync.reports import as_json, safe_output
from tests.connectors.contract import HOSTILE_TITLES, NAMESPACE, TODAY, World, a_goal, load, run
from tests.connectors.todoist_account import NOW, TodoistAccount
from tests.servers.todoist import PRO, Todoist
from tests.servers.todoist_server import TodoistServer

if TYPE_CHECKING:
    from tests.conftest import Person

NONCE = client_nonce(NAMESPACE, "g/two", 1)
IN_A_FILE = (
    *HOSTILE_TITLES,
    "::error::gone",
    "text ::add-mask::gone ##[error]gone",
    "<script>alert(1)</script><img src=x onerror=alert(1)>",
    "\"><svg onload=alert(1)> ' onclick='alert(1)",
    "[a](javascript:alert(1)) ![b](http://example.org/x.png) @octocat #1",
    "a | b | c \\| d `|`",
    "click A call alert(1) :crit, 2027-01-01, 1d %%{init: {}}%% ; section X",
    "END:VEVENT;X=1,\\nSUMMARY:gone",
    "%s {title} ${HOME} $(id) `id` {{ secrets.TOKEN }}",
)
# What only an app would let a person write: the goals file refuses it.
IN_AN_APP = ("\0", "a\0b", "\x1b[2J\x1b]0;x\x07", "\x9b2J", "\x0b\x0c\x1c\x85", "x" * 100_000, "👩‍👩‍👧‍👦" * 20_000)


# Reports


@pytest.fixture(scope="module")
def reports(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Everything that is said of a goals file full of hostile text, by the name of the report."""
    from tests.conftest import Person

    person = Person(tmp_path_factory.mktemp("hostile"))
    steps = [{"id": f"s{n}", "title": title, "notes": f"{title}\n{title}"} for n, title in enumerate(IN_A_FILE)]
    goal: dict[str, Any] = {"id": "g", "title": IN_A_FILE[0], "why": IN_A_FILE[-3], "deadline": "2028-09-01"}
    person.writes(yaml.safe_dump({"goals": [goal | {"steps": steps}]}, allow_unicode=True))
    shown = person.run("schedule", "--html", "a.html", "--svg", "a.svg", "--ics", "a.ics")
    calls = {
        "markdown": ("schedule", "--markdown"),
        "json": ("schedule", "--json"),
        "plan": ("plan",),
        "plan in markdown": ("plan", "--markdown"),
        "explain": ("explain", "g/s0"),
        "sync": ("sync",),
    }
    said = {name: person.run(*arguments) for name, arguments in calls.items()} | {"text": shown}
    assert all(done.code == 0 for done in said.values())
    files = {name: (person.folder / f"a.{name}").read_bytes().decode() for name in ("html", "svg", "ics")}
    again = person.run("plan", "--json").json["connectors"][0]["changes"]
    assert again == []
    return {name: done.out + done.err for name, done in said.items()} | files


def test_no_report_holds_what_a_terminal_or_a_runner_obeys(reports: dict[str, str]) -> None:
    for name, text in reports.items():
        if name not in ("html", "svg", "ics"):
            assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]", text), name
            assert not re.search(r"^\s*::|##\[", text, re.MULTILINE), name


def test_a_page_holds_no_element_of_a_title(reports: dict[str, str]) -> None:
    class Elements(HTMLParser):
        found: set[str] = set()  # noqa: RUF012  # of the one parser here
        attributes: set[str] = set()  # noqa: RUF012
        links: set[str] = set()  # noqa: RUF012

        def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
            self.found.add(tag)
            self.attributes.update(name for name, _ in attrs)
            self.links.update(str(value) for name, value in attrs if name in ("href", "src"))

    Elements().feed(reports["html"])
    assert not Elements.found & {"script", "img", "iframe", "b", "object"}
    assert {link for link in Elements.links if not link.startswith("#")} == {"data:,"}
    assert not any(name.startswith("on") for name in Elements.attributes)


def test_a_picture_holds_no_element_of_a_title(reports: dict[str, str]) -> None:
    elements = list(ET.fromstring(reports["svg"]).iter())  # noqa: S314  # ours
    assert {element.tag.partition("}")[2] for element in elements} <= {
        "svg", "title", "desc", "style", "rect", "g", "text", "line", "circle", "path",
    }  # fmt: skip
    assert not any(name.startswith("on") for element in elements for name in element.attrib)


def test_a_calendar_holds_as_many_events_as_there_are_steps(reports: dict[str, str]) -> None:
    calendar = Calendar.from_ical(reports["ics"])
    events = list(calendar.walk("VEVENT"))
    assert len(events) == 1 + len(IN_A_FILE)
    assert {name for event in events for name in event} == {
        "UID", "SUMMARY", "DTSTART", "DTEND", "DTSTAMP", "LAST-MODIFIED", "DESCRIPTION", "TRANSP",
    }  # fmt: skip


@pytest.mark.parametrize("name", ["markdown", "plan in markdown"])
def test_a_markdown_report_holds_no_markup_of_a_title(reports: dict[str, str], name: str) -> None:
    tokens = MarkdownIt("gfm-like", {"linkify": False}).parse(reports[name])
    kinds = {inner.type for token in tokens for inner in (token, *(token.children or ()))}
    assert not kinds & {"link_open", "image", "em_open", "html_block"}
    cells = [len(re.findall(r"(?<!\\)\|", line)) for line in reports[name].splitlines() if line.startswith("|")]
    assert len(set(cells)) == 1
    html = {inner.content for token in tokens for inner in token.children or () if inner.type == "html_inline"}
    assert html <= {"<br>"}


# What a person writes in a list, whoever they are


class Shared:
    """A todo.md that was synced once, and others write in it too."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.goal = a_goal()
        self.path = folder / "todo.md"
        self.sync()

    def sync(self) -> dict[str, Action]:
        return run(load(self.folder, self.goal), [MarkdownConnector(self.path, NAMESPACE)], TODAY).actions

    @property
    def text(self) -> str:
        return self.path.read_bytes().decode()

    def above(self, line: str) -> None:
        self.path.write_bytes(f"{line}\n\n{self.text}".encode())

    def below(self, line: str) -> None:
        head, mark, memory = self.text.partition("<!-- backplan's memory")
        self.path.write_bytes(f"{head}{line}\n\n{mark}{memory}".encode())

    def line(self, key: str) -> str:
        id_ = client_nonce(NAMESPACE, key, 1)[:7]
        return next(line for line in self.text.split("\n") if f"🆔 {id_}" in line)


@pytest.fixture
def shared(tmp_path: Path) -> Shared:
    return Shared(tmp_path)


def forged(key: str, nonce: str, title: str, box: str = " ", **marker: Any) -> str:
    """Return somebody's own line with a marker that says we wrote just that."""
    applied = {"title": digest(title), "priority": digest("none")}
    made = Marker(NAMESPACE, key, nonce, due=date(2027, 9, 28), applied=applied, **marker)
    return f"- [{box}] {title} <!-- {write_marker(made)} --> 📅 2027-09-28"


@pytest.mark.parametrize("place", ["above", "below"])
@pytest.mark.parametrize("box", [" ", "x", "-"])
@pytest.mark.parametrize("key", ["g", "g/two", "g/unknown", "other/step"])
def test_a_marker_with_a_nonce_that_we_do_not_know_changes_nothing(
    shared: Shared, key: str, box: str, place: str
) -> None:
    line = forged(key, "0123456789", "Somebody's own task", box)
    getattr(shared, place)(line)
    before = shared.text
    assert shared.sync() == {}
    assert shared.text == before
    shared.goal["steps"][1]["title"] = "Go on after all"
    shared.goal["steps"][2:] = []
    shared.sync()
    assert line in shared.text.split("\n")
    assert "- [ ] Go on after all" in shared.text


@pytest.mark.parametrize("place", ["above", "below"])
@pytest.mark.parametrize("box", [" ", "x"])
@pytest.mark.parametrize(("key", "generation"), [("g", 2), ("g/two", 2), ("g/unknown", 1), ("other/step", 1)])
def test_a_computed_nonce_changes_nothing_either(
    shared: Shared, key: str, generation: int, box: str, place: str
) -> None:
    nonce = client_nonce(NAMESPACE, key, generation)
    getattr(shared, place)(forged(key, nonce, "Somebody's own task", box, generation=generation))
    before = shared.text
    assert shared.sync() == {}
    assert shared.text == before


@pytest.mark.parametrize("ticked", [False, True])
@pytest.mark.parametrize(
    ("key", "generation", "computed"),
    [(key, 1, False) for key in ("g", "g/two", "g/unknown", "other/step")]
    + [("g", 2, True), ("g/two", 2, True), ("g/unknown", 1, True), ("other/step", 1, True)],
)
def test_a_forged_marker_in_a_shared_project_changes_nothing(
    tmp_path: Path, key: str, generation: int, computed: bool, ticked: bool
) -> None:
    with TodoistServer(Todoist(PRO, now=NOW)) as server:
        world, todoist = World(TodoistAccount(server), tmp_path), server.service
        world.sync()
        ben, project = todoist.add_user("Ben"), todoist.task(world.native_id("g"))["project_id"]
        todoist.share_project(project, ben)
        nonce = client_nonce(NAMESPACE, key, generation) if computed else "0123456789"
        applied = {"title": digest("Somebody's own task"), "priority": digest("none")}
        marker = Marker(NAMESPACE, key, nonce, generation, applied=applied)
        theirs = todoist.add_task("Somebody's own task", project, user=ben, description=write_marker(marker))
        if ticked:
            todoist.tick(theirs)
        before = todoist.state()
        assert world.sync().actions == {}
        assert todoist.state() == before
        world.step("two", title="Go on after all")
        world.remove_step("three")
        world.sync()
        assert todoist.task(theirs) == before["items"][theirs]
        assert "Go on after all" in todoist.text()


def test_after_a_renaming_the_nonce_of_the_new_name_is_not_ours(shared: Shared) -> None:
    shared.goal["steps"][1] |= {"id": "second", "was": "two"}
    shared.sync()
    shared.below(forged("g/second", client_nonce(NAMESPACE, "g/second", 1), "Somebody's own task"))
    before = shared.text
    assert shared.sync() == {}
    assert shared.text == before


@pytest.mark.parametrize("place", ["above", "below"])
def test_a_known_nonce_under_another_key_does_not_take_over_a_task(shared: Shared, place: str) -> None:
    own = shared.line("g/two")
    getattr(shared, place)(forged("g/one", NONCE, "Somebody's own task", "x"))
    shared.goal["steps"][1]["title"] = "Go on after all"
    shared.sync()
    assert shared.line("g/two") == own.replace("Go on", "Go on after all")
    assert "- [x] Somebody's own task 📅 2027-09-28\n" in shared.text  # it lost the comment, nothing else


def test_a_forged_marker_after_ours_was_deleted_does_not_tick_the_step(shared: Shared) -> None:
    shared.path.write_bytes(shared.text.replace(f"{shared.line('g/two')}\n", "").encode())
    shared.sync()
    shared.above(forged("g/two", "0123456789", "Somebody's own task", "x"))
    shared.sync()
    assert MarkdownConnector(shared.path, NAMESPACE).read().memory["g"].keys["g/two"].state == "dropped"


@pytest.mark.parametrize(
    "comment",
    [
        f"bp1 a {NAMESPACE} g/two {'9' * 5000} - - ....",
        f"bp{'1' * 5000} a {NAMESPACE} g/two 1 - - ....",
        f"bp1 a {NAMESPACE} g/two 1 0000-00-00 - ....",
        "bp1 " + " " * 100_000,
        "bp1 " + "a " * 50_000,
        "bp1 " * 30_000,
        "bp1 --> 📅 " + "2027-01-01 " * 20_000,
        "bp1 --> " + "📅 2027-01-01 ^a " * 10_000,
        "bp1 --> [due:: " + " " * 100_000 + "^",
        "bp1 --> [due:: (" + " " * 100_000 + "^",
        "bp1 --> 📅 2027-05-12 " + "#" * 100_000 + " x",
        "bp1 --> 📅 2027-05-12 Wed" + " #" * 50_000 + "(",
        "bp1 --> 📅 2027-05-12" + " " * 100_000 + "Wed x",
        "bp١ a b c ١ ١١١١-١١-١١ - ....",
    ],
    ids=[
        "generation",
        "version",
        "date",
        "spaces",
        "words",
        "repeated",
        "dates",
        "signs",
        "fields",
        "brackets",
        "tags",
        "tags behind a weekday",
        "weekday",
        "digits",
    ],
)
def test_what_looks_like_a_marker_and_is_none_changes_nothing(shared: Shared, comment: str) -> None:
    shared.above(f"- [x] Somebody's own task <!-- {comment} -->")
    shared.below(f"- [x] Somebody's own task <!-- {comment}")
    before = shared.text
    began = time.process_time()
    assert shared.sync() == {}
    assert time.process_time() - began < 2
    assert shared.text == before


def test_ids_that_could_be_ours_change_nothing(shared: Shared) -> None:
    for key, generation in (("g", 2), ("g/two", 2), ("g/unknown", 1), ("other/step", 1), ("", 1)):
        nonce = client_nonce(NAMESPACE, key, generation)
        for id_ in (nonce[:7], nonce[:9], nonce):
            shared.above(f"- [ ] Somebody's own task 📅 2027-09-28 🆔 {id_}\n- [x] Another 🆔 {id_}")
    before = shared.text
    assert shared.sync() == {}
    assert shared.text == before


@pytest.mark.parametrize("place", ["above", "below"])
def test_an_id_of_ours_in_somebody_elses_task_takes_nothing_over(shared: Shared, place: str) -> None:
    own = shared.line("g/two")
    getattr(shared, place)(f"- [x] Somebody's own task 📅 2027-09-28 🆔 {NONCE[:7]}")
    shared.sync()
    assert shared.line("g/two") == own
    assert "- [x] Somebody's own task 📅 2027-09-28\n" in shared.text  # it lost the id, nothing else


SIGNS = {
    "ids": "🆔 " * 10_000,
    "ours": "🛫 2027-01-01 " * 5_000 + "🆔 {} x",
    "letters": "🆔 " + "a" * 50_000,
    "links": "⛔ " + "a," * 20_000 + ";",
    "starts": "🛫 " * 10_000 + "🆔",
    "blocks": "🆔 a ^b " * 5_000,
    "days": "1234567 a/b l " + "2027-01-01 " * 10_000 + "x",
    "digests": "1234567 a/b l ~" + "a." * 50_000 + "!",
}


@pytest.mark.parametrize(
    "line",
    [
        pytest.param(line, id=name, marks=[pytest.mark.proof] * (name not in ("ids", "ours")))
        for name, line in SIGNS.items()
    ],
)
def test_what_looks_like_signs_or_rows_takes_no_time(shared: Shared, line: str) -> None:
    shared.above(f"- [x] Somebody's own task {line.format(NONCE[:6])}")
    shared.above(line.format("1234567"))
    before = shared.text
    began = time.process_time()
    assert shared.sync() == {}
    assert time.process_time() - began < 2
    assert shared.text == before


@pytest.mark.parametrize("below", ["2027-05-12 " + "#" * 100_000 + " x", "2027-05-12" + " " * 100_000 + "x"])
def test_a_long_line_below_a_task_of_ours_takes_no_time(shared: Shared, below: str) -> None:
    line = shared.line("g/two")
    shared.path.write_bytes(shared.text.replace(line, f"{re.sub(r' 📅 [0-9-]+', '', line)}\n        {below}").encode())
    began = time.process_time()
    shared.sync()
    assert time.process_time() - began < 2
    assert below in shared.text


@pytest.mark.parametrize("title", [*HOSTILE_TITLES[1:], *IN_AN_APP], ids=lambda title: ascii(title)[:20])
def test_a_person_may_give_any_title(shared: Shared, title: str) -> None:
    shared.path.write_bytes(shared.text.replace("] Go on 🛫", f"] {title} 🛫").encode())
    before = shared.text
    shared.sync()
    shared.goal["steps"][1]["title"] = "Go on after all"
    shared.sync()
    if not title.split() or title.startswith("[ ]") or re.search(r"📅 \d{4}-\d\d-\d\d$", title):
        assert shared.text == before  # no title, a second box or a second date: which is meant cannot be known
        return
    assert re.search(
        "\\] Go on after all [ 0-9✅📅🔺⏫🔼🛫-]*🆔 [0-9a-f]{7}", shared.text
    )  # signs at the end are none of the title
    assert shared.text.count("🆔") == before.count("🆔")
    assert len(shared.text.split("\n")) == len(before.split("\n")) + bool(title.strip(" \t\x0b\x0c\x1c\x85"))


@given(st.text(st.characters(exclude_categories=["Cs"]), min_size=1).filter(lambda text: text.split()))
def test_any_text_becomes_one_line_that_is_read_again(title: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "todo.md"
        connector = MarkdownConnector(path, NAMESPACE)
        content = connector.canonical(Content(title, TODAY))
        one, two = (Marker(NAMESPACE, key, client_nonce(NAMESPACE, key, 1), due=TODAY) for key in ("g", "h"))
        connector.read()
        creates = [Write(Action.CREATE, marker.key, content=content, marker=marker) for marker in (one, two)]
        connector.apply([*creates, StoreWrite({})])
        tasks = MarkdownConnector(path, NAMESPACE).read().tasks
        assert [(task.marker.key, task.content) for task in tasks] == [("g", content), ("h", content)]
        assert all(replace(task.marker, applied={}) in (one, two) for task in tasks)


# What every report is made of


@given(st.text())
def test_text_that_is_shown_steers_nothing(text: str) -> None:
    for shown in (display.clean(text), display.fit(text)):
        assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]", shown)
    assert "\n" not in display.clean(text)
    assert display.fit(text).count("\n") == text.count("\n")


@given(st.text(st.one_of(st.characters(exclude_categories=["Cs"]), st.sampled_from("#[:\x85\u202e\x9b"))))
def test_json_says_the_same_and_steers_nothing(text: str) -> None:
    written = as_json.text({"title": text, text: [text]})
    assert json.loads(written) == {"title": text, text: [text]}
    assert not re.search("[\x00-\x1f\x7f-\x9f\u202a-\u202e]", written)
    assert "##[" not in written


@given(
    st.lists(st.sampled_from(["::", "##[error]", " ", "\t", "\r", "\n", "a", "\u00a0", "\x1b[1m", "é"]), max_size=12)
)
def test_no_line_that_passes_the_gate_is_a_command(parts: list[str]) -> None:
    text = "".join(parts)
    passed = safe_output.harmless(text)
    assert not any(line.strip().startswith("::") for line in re.split("[\r\n]", passed))
    assert "##[" not in passed
    assert passed.replace(" ", "") == text.replace(" ", "")


def test_a_hostile_list_can_be_planned(person: Person) -> None:
    """Titles of an app in the report of a command, for real."""
    goals = "namespace: me/goals\ngoals: [{id: g, title: A, deadline: 2027-09-01, steps: [{id: one, title: %s}]}]\n"
    person.writes(goals % "B")
    person.run("sync")
    hostile = "\x1b[2J ##[error]gone ::error::gone \u202e \x9b2J | <b> " + "x" * 1000
    person.todo.write_text(person.todo.read_text("utf-8").replace("] B 📅", f"] {hostile} 📅"), "utf-8")
    person.run("sync")
    person.writes(goals % "C")
    for option in ((), ("--json",), ("--markdown",)):
        done = person.run("plan", *option)
        assert done.code == 0
        assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202e]|##\\[", done.out + done.err)
