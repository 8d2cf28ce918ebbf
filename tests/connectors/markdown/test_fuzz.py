"""Whatever people and their editors make of a list's lines: the list agrees with an account of what that means.

For every step an odd line is drawn: its box, its bullet, its date, its place, its id, what else is on it, and copies
of it. So is whether the list is one of an earlier version, with comments in its lines. The account says what that
means; one sync must do just that, and a second one nothing.
"""

from __future__ import annotations

import re
import tempfile
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from hypothesis import event, given
from hypothesis import strategies as st

from config.errors import RefusedError
from connectors.base import Action
from tests.connectors.contract import NAMESPACE
from tests.connectors.markdown.test_markdown import MEMORY, List, as_of_before, stripped

KEYS = ("g/one", "g/two", "g/three")
WRITTEN = {"g/one": date(2027, 9, 21), "g/two": date(2027, 9, 28), "g/three": date(2027, 9, 30)}
STARTS = {"g/one": date(2027, 9, 19), "g/two": date(2027, 9, 22), "g/three": date(2027, 9, 29)}
TITLES = {"g/one": "Begin", "g/two": "Go on ^abc", "g/three": "Finish"}
MOVED, NEXT = date(2027, 9, 10), date(2027, 10, 5)

BOXES = {
    "open": ["[ ]", "[]", "[  ]", "[/]", "[>]", "[ ?]"],
    "done": ["[x]", "[X]", "[x ]", "[ x]", "[ X ]", "[✔️]", "[✓]", "[\u200bx]"],
    "dropped": ["[-]", "[ -]", "[\u2013]"],
    "unread": ["[maybe]", "", "[x](y)", "[xx]", "[v]"],
}
BULLETS = ["-", "*", "+", "1.", "27)"]
SIGNS = ["📅 {}", "📅{}", "📅\ufe0f {}", "📆 {}", "🗓 {}", "🗓️ {}", "[due:: {}]", "(due::{})"]
SPELLINGS = [
    "%Y-%m-%d",
    "%Y-%-m-%-d",
    "%B %-d, %Y",
    "%b %-d %Y",
    "%-d %B %Y",
    "%A %-dth of %b %Y",
    "**%Y-%m-%d**",
    "%Y-%m-%d %a",
    "%Y-%m-%d (%A)",
]
NO_DATES = [
    "next friday",
    "9.5.2027",
    "2027-02-30",
    "5/9/2027",
    "2027-09-09 or 2027-09-11",
    "~~2027-09-30~~ 2027-10-01",
    "2027-09-09 (or 13 May)",
    "2027-09-09 Mon",
]
ADDED = ["", " #tag", " 🆔 abc", " ⛔ abc,def", " 🛫 2027-08-01", " 🔁 every week", " 🔽", " ⏳ soon", " ✅ 2027-07-19"]
COMMENTS = {
    "whole": ("<!--", "-->"),
    "entities": ("&lt;!--", "--&gt;"),
    "backslash": ("\\<!--", "-->"),
    "backslashes": ("\\<\\!--", "--\\>"),
    "dashes": ("<!\u2013", "\u2013>"),
    "stripped": ("", ""),
}
IDS = {"whole": ("🆔 ", ""), "tight": ("🆔", ""), "emoji": ("🆔\ufe0f ", ""), "stripped": ("", "")}
OWN_LINES = [
    "- [ ] Buy milk 📅 2027-01-01",
    "- [ ] Go on ^abc 📅 2027-01-01",
    "## Now",
    "Go on ^abc",
    "    - [x] note ^abc",
    "> quoted",
]


@dataclass(frozen=True)
class Odd:
    """A step's line as somebody left it. `when`: written, moved, cleared, unread; `before`: date, then comment."""

    key: str
    state: str
    box: str
    bullet: str
    when: str
    said: str
    before: bool
    added: str
    block_id: str
    comment: str
    title: str
    copy: str
    start: str
    old: bool

    @property
    def stripped(self) -> bool:
        return self.comment == "stripped"

    @property
    def unread(self) -> bool:
        """Whether it cannot be read; what is ticked or cancelled needs no date."""
        no_date = self.when == "unread" or ("📅" in self.title and not self.said)  # then that may be meant for its sign
        return self.state == "unread" or (self.state == "open" and no_date)

    @property
    def let_go(self) -> bool:
        """Whether it is no line of ours any more: without a comment, title and date have to be those last written."""
        same = self.title == TITLES[self.key] and self.when == "written"
        boxed = self.state != "unread" or self.box == "[v]"  # any one sign in a box makes a checkbox
        return self.stripped and not (same and boxed)

    @property
    def yields(self) -> bool:
        """Whether the step is a copy of the line: one ticked, or just dragged, unless the line itself was ticked."""
        return self.copy.startswith(("dragged", "ticked")) and self.state != "done"

    @property
    def copied(self) -> str:
        """The copy of the line that may be the step, as it is shown."""
        is_ticked = self.copy.startswith("ticked")
        return f"- [{'x' if is_ticked else ' '}] {TITLES[self.key]} 📅 {WRITTEN[self.key] if is_ticked else NEXT}"

    @property
    def means(self) -> str:
        """What becomes of the step."""
        if self.yields:
            return "done" if self.copy.startswith("ticked") else "live"
        if self.let_go:
            return "dropped"
        return "live" if self.unread or self.state == "open" else self.state

    @property
    def pinned(self) -> bool:
        moved = self.when == "moved" and not self.unread and not self.stripped
        return self.means == "live" and (moved or self.yields)

    def parts(self, comment: str) -> tuple[str, str, str]:
        """Return the line up to its date, its date, and the rest."""
        opens, closes = (COMMENTS if comment.startswith("<!--") else IDS)[self.comment]
        inner = comment.removeprefix("<!--").removesuffix("-->").removeprefix("🆔 ")
        mark = "" if self.stripped else f" {opens}{inner}{closes}"
        head = f"    {self.bullet} {self.box}{' ' if self.box else ''}{self.title}{self.start}"
        said = f" {self.said}" if self.said else ""
        tail = f"{self.added}{self.block_id}"
        return (head, said, mark + tail) if self.before else (head + mark, said, tail)


@st.composite
def an_odd_line(draw: st.DrawFn, key: str, *, old: bool) -> Odd:
    state = draw(st.sampled_from(["open", "open", "done", "dropped", "unread"]))
    when = draw(st.sampled_from(["written", "written", "moved", "cleared", "unread"]))
    sign = draw(st.sampled_from(SIGNS))
    day = MOVED if when == "moved" else WRITTEN[key]
    spelling = draw(st.sampled_from(SPELLINGS)).replace("%-d", str(day.day)).replace("%-m", str(day.month))
    said = sign.format(day.strftime(spelling.replace("1th", "1st")))
    if when == "cleared":
        said = draw(st.sampled_from(["", "📅", "[due:: ]"]))
    elif when == "unread":
        said = sign.format(draw(st.sampled_from(NO_DATES)))
    title = draw(st.sampled_from([TITLES[key], TITLES[key], "Other 📅 words", "Pay ✅ 2027-01-01 soon"]))
    own = title == TITLES[key] and (when == "written" or (state == "done" and when == "moved"))
    comment = draw(st.sampled_from(sorted(COMMENTS if old else IDS)))
    added = draw(st.sampled_from(ADDED))
    start = "" if old or "🛫" in added else f" 🛫 {STARTS[key]}"
    copies = ["", "dragged above", "dragged below"] if own and state != "unread" and comment == "whole" else [""]
    if when == "written" and copies[1:]:
        copies += ["below", *(["ticked above", "ticked below"] if state == "open" else [])]
    return Odd(
        key,
        state,
        draw(st.sampled_from(BOXES[state])),
        draw(st.sampled_from(BULLETS)),
        when,
        said,
        draw(st.booleans()),
        added,
        draw(st.sampled_from(["", " ^abc123"])),
        comment,
        title,
        draw(st.sampled_from(copies)),
        start,
        old,
    )


@st.composite
def odd_lines(draw: st.DrawFn) -> tuple[Odd, ...]:
    """Draw a line for each step, all in a list of this version or all in one of an earlier version."""
    old = draw(st.booleans())
    return tuple(draw(an_odd_line(key, old=old)) for key in KEYS)


def write(todo: List, odd: Odd) -> str:
    """Let somebody make this of a step's line, and return it."""
    line = todo.line(odd.key)
    found = re.search(r"<!--.*-->|🆔 \S+", line)
    assert found is not None
    made = "".join(odd.parts(found[0]))
    lines = [made]
    if odd.copy.startswith("dragged"):
        lines.insert(odd.copy == "dragged below", line.replace(f"📅 {WRITTEN[odd.key]}", f"📅 {NEXT}"))
    elif odd.copy.startswith("ticked"):
        lines.insert(odd.copy == "ticked below", line.replace("[ ]", "[x]"))
    elif odd.copy == "below":
        lines.append(line)
    todo.text = todo.text.replace(line, "\n".join(lines))
    return made


def bare(line: str) -> str:
    """Return a line without what marks it, its first day and the day that a run writes behind a tick."""
    line = re.sub(r"(?:\\?<|&lt;).*(?:>|&gt;)|🆔\ufe0f? ?\w+|🛫 \S+|✅ 2027-07-20", "", line)
    return " ".join(line.split())


def check_line(todo: List, odd: Odd, before: str) -> None:
    """See that a line is as it was left, but for its marks and for dates that the plan has moved."""
    lines = shown(todo)
    row = re.search(rf"^(\S+) {odd.key} [pldxr]", todo.text, re.MULTILINE)
    sign = f"🆔\ufe0f? ?{row[1]}|{NAMESPACE} {odd.key} " if row else f"{NAMESPACE} {odd.key} "
    held = [line for line in lines if re.search(sign, line)]
    if odd.let_go and not odd.yields:
        assert (held, before in lines) == ([], True)
        return
    assert len(held) == 1
    due = todo.task(odd.key).content.due
    if odd.yields:
        assert bare(held[0]) == odd.copied
        assert bare(before) in map(bare, lines)
    elif odd.unread:
        assert held[0] == before or odd.stripped
    elif odd.stripped:
        assert bare(held[0]) == bare(before) or odd.means == "live"
    elif odd.means != "live" or (
        odd.when in ("written", "moved") and due == (MOVED if odd.pinned else WRITTEN[odd.key])
    ):
        assert bare(held[0]) == bare(before)
        untouched = odd.means == "live" and not odd.pinned and odd.comment == "whole"
        assert held[0] == before or not untouched
    else:
        said, rest = odd.said.strip(), bare(before)
        assert str(due) in held[0]
        for word in re.split(re.escape(said), rest) if said else (rest,):
            assert word.strip() in bare(held[0]).replace(f" 📅 {due}", "")


def a_list(folder: str, *, old: bool = False) -> List:
    """Return a list that was synced once, perhaps by an earlier version."""
    todo = List(Path(folder))
    todo.step("two", title=TITLES["g/two"])
    todo.sync()
    return as_of_before(todo) if old else todo


ODD_LINES = odd_lines()


def shown(todo: List) -> list[str]:
    """Return the lines of the list without their ends."""
    return todo.text.replace("\r\n", "\n").partition(MEMORY)[0].split("\n")


@given(ODD_LINES, st.lists(st.sampled_from(OWN_LINES), max_size=3), st.sampled_from(["\n", "\r\n"]))
def test_what_odd_lines_mean_is_done_and_nothing_else(odd_lines: tuple[Odd, ...], own: list[str], end: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        todo = a_list(folder, old=odd_lines[0].old)
        before = {odd.key: write(todo, odd) for odd in odd_lines}
        for odd in odd_lines:
            event(f"{odd.means}, {'unread' if odd.unread else odd.when}, {odd.comment}")
        head, memory, rest = todo.text.partition(MEMORY)
        todo.text = "\n".join([head, *own, "", memory + rest]).replace("\n", end)
        todo.sync()
        lines = shown(todo)
        assert [line for line in own if line not in lines] == []
        assert {odd.key: todo.state(odd.key) for odd in odd_lines} == {odd.key: odd.means for odd in odd_lines}
        there = {task.marker.key: task for task in todo.connector.read().tasks}
        assert {key for key in KEYS if key in there and there[key].marker.pinned} == {
            odd.key for odd in odd_lines if odd.pinned
        }
        for odd in odd_lines:
            check_line(todo, odd, before[odd.key])
            if odd.copy.startswith("dragged") and not odd.yields:
                assert odd.copied in map(bare, lines)
            elif odd.copy == "below":
                assert f"- [ ] {TITLES[odd.key]} 📅 {WRITTEN[odd.key]}" in map(bare, lines)
        left = [odd.means for odd in odd_lines if odd.means != "dropped"]
        assert (todo.state("g") == "done") is (bool(left) and set(left) == {"done"})


@given(ODD_LINES, st.booleans(), st.booleans())
def test_of_odd_lines_that_all_lost_their_comments_none_is_made_twice_or_dropped(
    odd_lines: tuple[Odd, ...], heard: bool, memory: bool
) -> None:
    """heard: a run has seen the lines before they lost their comments. memory: that is kept."""
    with tempfile.TemporaryDirectory() as folder:
        todo = a_list(folder, old=odd_lines[0].old)
        for odd in odd_lines:
            write(todo, Odd(**{**odd.__dict__, "copy": "", "comment": "whole"}))
        if heard:
            todo.sync()
        bare_text = stripped(todo.text, "the signs" if memory else "")
        todo.text = before = re.sub(r" 🆔 \S+", "", bare_text)
        try:
            done = todo.sync()
        except RefusedError:
            event("refused")
            assert todo.text == before
            return
        event("taken back")
        assert Action.CREATE not in done.actions.values()
        if memory:
            states = {odd.key: todo.state(odd.key) for odd in odd_lines}
            assert {key for key, state in states.items() if state == "dropped"} == {
                odd.key for odd in odd_lines if odd.state == "dropped"
            }


@given(ODD_LINES, st.lists(st.sampled_from(KEYS), unique=True), st.lists(st.sampled_from(KEYS), unique=True))
def test_done_lines_without_comments_are_heard_when_they_are_opened_again(
    odd_lines: tuple[Odd, ...], bare: list[str], opened: list[str]
) -> None:
    """bare: those that lose their comments. opened: those that are opened again then, in a line as it was drawn."""
    with tempfile.TemporaryDirectory() as folder:
        todo = a_list(folder, old=odd_lines[0].old)
        for key in KEYS:
            todo.edit(key, lambda line: line.replace("[ ]", "[x]"))
        todo.sync()
        for key in bare:
            todo.edit(key, stripped)
        todo.sync()
        heard = set()
        for odd in odd_lines:
            if odd.key not in opened:
                continue
            line = next(line for line in shown(todo) if f"[x] {TITLES[odd.key]}" in line)
            found = re.search("<!--.*-->|🆔 [0-9a-f]{7}", line)
            whole = {"state": "open", "box": "[ ]", "title": TITLES[odd.key], "copy": ""}
            new = Odd(**{**odd.__dict__, **whole, "comment": "whole" if found else "stripped"})
            todo.text = todo.text.replace(line, "".join(new.parts(found[0] if found else "")))
            if not new.unread and (found or new.when in ("written", "moved")):
                heard.add(odd.key)
        todo.sync()
        states = {key: todo.state(key) for key in KEYS}
        assert states == {key: "live" if key in heard else "done" for key in KEYS}
