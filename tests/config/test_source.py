"""Reading YAML: which words are values, where everything stands, and files that are broken or want to do harm."""

from __future__ import annotations

import json
import subprocess
import sys
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from config import loader
from config.errors import BackplanError, GoalsFileError, InputError
from config.source import MAX_BYTES, Source

if TYPE_CHECKING:
    from collections.abc import Callable

ROOT = Path(__file__).parents[2]
BOM = b"\xef\xbb\xbf"
GOAL = "goals:\n- title: A\n  deadline: 2027-08-15\n"
TOKEN = "ghp_" + "a1B2" * 6

# Plain words as YAML 1.2's core schema reads them, with dates.
VALUES: dict[str, Any] = {
    "no": "no",
    "yes": "yes",
    "on": "on",
    "off": "off",
    "y": "y",
    "true": True,
    "True": True,
    "FALSE": False,
    "12:30": "12:30",
    "1:2:3": "1:2:3",
    "007": "007",
    "0": 0,
    "-5": -5,
    "+5": 5,
    "0x1F": "0x1F",
    "0o17": "0o17",
    "1_000": "1_000",
    "1.5": 1.5,
    ".5": 0.5,
    "1e5": "1e5",
    ".inf": ".inf",
    "1" * 15: int("1" * 15),
    "1" * 5000: "1" * 5000,
    "": None,
    "~": None,
    "null": None,
    "nil": "nil",
    "2027-08-15": date(2027, 8, 15),
    "2027-02-30": "2027-02-30",
    "2027-8-5": "2027-8-5",
    "0000-01-01": "0000-01-01",
    "2027-08-15T10:00": "2027-08-15T10:00",
    "2027-08-15 10:00:00": "2027-08-15 10:00:00",
    "'5'": "5",
    '"true"': "true",
    '"2027-08-15"': "2027-08-15",
    "!!str 5": "5",
    "!mine 5": "5",
    "<<": "<<",
    "[a, {b: 1}]": ["a", {"b": 1}],
    "|\n  two\n  lines\n": "two\nlines\n",
    ">-\n  one\n  line\n": "one line",
}

UNREADABLE = {
    "empty": ("", "1:1", "the file is empty"),
    "blank": ("\n \n", "1:1", "the file is empty"),
    "comments only": ("# nothing\n# here\n", "1:1", "the file is empty"),
    "a document's start only": ("---\n", "1:1", "the file is empty"),
    "null": ("~\n", "1:1", "expected keys such as `goals:`"),
    "a list": ("\n- a\n", "2:1", "expected keys such as `goals:`"),
    "a text": ("goals\n", "1:1", "expected keys such as `goals:`"),
    "two documents": ("a: 1\n---\nb: 2\n", "2:1", "another document"),
    "a tab": ("goals:\n\t- title: A\n", "2:1", "a tab or a reserved character"),
    "a tab behind spaces": ("goals:\n  \t- title: A\n", "2:3", "a tab or a reserved character"),
    "a tab in the middle of a list": ("goals:\n  - title: A\n\t  why: b\n", "3:1", "a tab stands here; indent with"),
    "a reserved character": ("why: @home\n", "1:6", "a tab or a reserved character"),
    "a colon in a text": ("why: one: two\n", "1:9", "a colon inside a text needs quotes"),
    "an unknown alias": ("a: 1\nwhy: *all of it\n", "2:6", "a text that starts with * needs quotes"),
    "a text in asterisks": ("a: 1\nwhy: *all* of it\n", "2:10", "a text that starts with * needs quotes"),
    "an open quote": ('why: "because\n', "2:1", "not readable as YAML"),
    "an open bracket": ("a: [1, 2\n", "2:1", "not readable as YAML"),
    "a list as key": ("a: 1\n? [b]\n: 2\n", "2:3", "expected a word as key"),
    "an alias of itself": ("a: &x\n  b: *x\n", "1:4", "contains itself"),
    "an alias of itself in a list": ("a: &x [1, [*x]]\n", "1:4", "contains itself"),
    "a control character": ("a: 1\nwhy: b\x07\n", "2:7", "control character"),
    "a merge conflict": ("a: 1\n<<<<<<< HEAD\nb: 2\n=======\nb: 3\n>>>>>>> other\n", "2:1", "a merge conflict of git"),
    "a NUL": ("a: 1\nwhy: b\x00c\n", "2:7", "control character"),
    "a wrong escape": (r'a: "\ud800"', "1:7", "not readable as YAML"),
}

MISREAD_BYTES = {
    "Latin-1": ("goals:\n- title: Caf\xe9\n".encode("latin-1"), "2:13"),
    "behind letters of many bytes": ("# \u00e9\n\u00e9\u00e9: ".encode() + b"\xff", "2:5"),
    "behind a byte order mark": (BOM + b"a: 1\n\xff", "2:1"),
    "UTF-16": ("goals:\n".encode("utf-16"), "1:1"),
    "a cut letter": (b"a: \xe2\x82", "1:4"),
}

# A place is right whatever stands before it.
BEFORE = {
    "nothing": b"",
    "a byte order mark": BOM,
    "letters of many bytes": "# caf\u00e9 \u65e5\u672c\u8a9e \U0001f600\n".encode(),
    "Windows line ends": b"# one\r\n# two\r\n",
    "a document's start": b"%YAML 1.2\n---\n",
}

DEEP = {
    "lists in brackets": "'a: ' + '[' * 200_000",
    "closed lists in brackets": "'a: ' + '[' * 100_000 + ']' * 100_000",
    "maps in braces": "'a: ' + '{a: ' * 200_000",
    "both": "'a: ' + '[{a: ' * 100_000",
    "lists in a line": "'- ' * 200_000",
    "lists in a line, far apart": "'-   ' * 100_000",
    "lists under a key": "'a:\\n  ' + '- ' * 200_000",
    "complex keys": "'? ' * 100_000",
    "empty keys": "': ' * 100_000",
    "maps by indentation": "'\\n'.join(' ' * n + 'a:' for n in range(2_000))",
    "lists by indentation": "'a:\\n' + '\\n'.join(' ' * n + '-' for n in range(2_000))",
    "lists in many lines": "'\\n'.join(' ' * (998 * n) + '- ' * 499 for n in range(190))",
    "behind a comment that closes": "'# ' + ']' * 100_000 + '\\na: ' + '[' * 100_000",
    "between texts that close": "'a: ' + '[\"]\", ' * 100_000",
}

_READ_DEEP = """
import json, sys
from config.errors import GoalsFileError
from config.source import Source
for name, text in json.load(sys.stdin).items():
    print(name, flush=True)
    try:
        Source("deep.yaml", eval(text))
    except GoalsFileError as error:
        assert error.problems
    else:
        sys.exit("it was taken")
"""

SECRETS = {
    "in a comment": f"# {TOKEN}\n{GOAL}",
    "as a value": f"{GOAL}  why: {TOKEN}\n",
    "as a wrong value": f"{GOAL}  start: {TOKEN}\n",
    "as a wrong date range": f"calendar: {{days_off: [{TOKEN}]}}\n{GOAL}",
    "as a key": f"{GOAL}  {TOKEN}: x\n",
    "as a key that is there twice": f"{TOKEN}: 1\n{TOKEN}: 2\n{GOAL}",
    "as an alias": f"{GOAL}  why: *{TOKEN}\n",
    "as an anchor": f"{GOAL}  why: &{TOKEN} x\n  notes: &{TOKEN} y\n",
    "as a tag": f"{GOAL}  why: !<{TOKEN} x\n",
    "as a template": f"{GOAL}  template: {TOKEN}\n",
    "as a calendar": f"{GOAL}  calendar: {TOKEN}\n",
    "as an id that is taken": f"{GOAL}  id: {TOKEN}\n- title: B\n  id: {TOKEN}\n  deadline: 2027-08-15\n",
    "as a reference": f"{GOAL}  steps: [a, {{title: b, after: [{TOKEN}]}}]\n",
    "as a deadline's goal": f"goals:\n- title: A\n  deadline: {{before: {TOKEN}}}\n",
    "as a connector": f"sync: [{{{TOKEN}: 5}}]\n{GOAL}",
    "as a time zone": f"timezone: {TOKEN}\n{GOAL}",
    "as a country": f"calendar: {{holidays: US-{TOKEN}}}\n{GOAL}",
    "as a namespace": f"namespace: {TOKEN}\n{GOAL}",
    "as a long value": f"{GOAL}  start: {'x' * 40} {TOKEN}\n",
}

TOKENS = [
    TOKEN,
    "github_pat_" + "a1B2" * 6,
    "gho_" + "a1B2" * 9,
    "xoxb-" + "12-ab" * 5,
    "sk-" + "a1-B2" * 6,
    "0123456789abcdef" * 2 + "01234567",
]

HARMLESS = [
    "https://github.com/me/goals/commit/" + "0123456789" * 4,
    "0123456789abcdef" * 2,
    "ghp_short",
    "sk-8 skates",
]


def refusal(name: str, text: str) -> str:
    with pytest.raises(GoalsFileError) as caught:
        Source(name, text)
    return str(caught.value)


@pytest.mark.parametrize("written", VALUES, ids=lambda written: repr(written[:20]))
def test_values_are_those_of_yaml_1_2(written: str) -> None:
    assert Source("f", f"key: {written}\n").value == {"key": VALUES[written]}


@pytest.mark.parametrize("key", ["on", "no", "y", "12:30", "007", "5", "true", "~", "2027-08-15", "<<"])
def test_keys_are_words(key: str) -> None:
    assert Source("f", f"{key}: 1\n").value == {key: 1}


@pytest.mark.parametrize("tag", ["!!int", "!!float", "!!bool", "!!null", "!!timestamp", "!!date", "!!binary", "!!set"])
@pytest.mark.parametrize("value", ["abc", '""', "[a]", "{a: b}"])
def test_tags_that_lie_crash_nothing(write: Callable[[str], Path], tag: str, value: str) -> None:
    try:
        loader.load(write(f"{GOAL}  why: {tag} {value}\n"))
    except GoalsFileError as error:
        assert [problem.place.line for problem in error.problems] == [4]  # noqa: PT017  # being taken as text is fine too


@pytest.mark.parametrize("name", UNREADABLE)
def test_what_is_no_goals_file_is_refused_with_the_place(name: str) -> None:
    text, place, said = UNREADABLE[name]
    message = refusal("f.yaml", text)
    assert message.startswith(f"f.yaml:{place}: ")
    assert said in message


@pytest.mark.parametrize("before", BEFORE)
def test_places_count_lines_and_columns_from_one(tmp_path: Path, before: str) -> None:
    path = tmp_path / "f"
    path.write_bytes(BEFORE[before] + "k\u00e9y: {caf\u00e9 \U0001f600: [a, bc]}\nlast: x\n".encode())
    source = Source.read(path, "f")
    first = 1 + BEFORE[before].count(b"\n")
    key, emoji = "k\u00e9y", "caf\u00e9 \U0001f600"
    assert str(source.place(())) == f"f:{first}:1"
    assert str(source.place_of_key((key,))) == f"f:{first}:1"
    assert str(source.place((key,))) == f"f:{first}:6"
    assert str(source.place_of_key((key, emoji))) == f"f:{first}:7"
    assert str(source.place((key, emoji, 1))) == f"f:{first}:19"
    assert str(source.place_of_key(("last",))) == f"f:{first + 1}:1"
    assert str(source.place(("last",))) == f"f:{first + 1}:7"


def test_the_place_of_what_is_missing_is_that_of_the_nearest_above() -> None:
    source = Source("f", "a: 1\ngoals:\n- title: A\n")
    for path in (("goals", 0, "deadline"), ("goals", 0, "steps", 3, "id"), ("goals", 0, "~step")):
        assert str(source.place(path)) == "f:3:3"
    assert str(source.place(("goals", 7))) == "f:3:1"
    assert str(source.place_of_key(("goals", 0, "why"))) == "f:3:3"


def test_excerpts_are_short_and_in_one_line() -> None:
    source = Source("f", f"short: a  b\nlong: {'x' * 70}\nlist: [a]\nlines: |\n  a\n  b\n")
    excerpts = [source.excerpt((key,)) for key in ("short", "long", "list", "lines")]
    assert excerpts == ["a b", "x" * 57 + "...", None, "a b"]


def test_duplicate_keys_are_all_reported() -> None:
    source = Source("f", "a: 1\nb: {c: 1, c: 2, 'c': 3}\na: 2\n")
    assert [str(problem).partition(";")[0] for problem in source.problems] == [
        "f:2:11: the key `c` stands here twice",
        "f:2:17: the key `c` stands here twice",
        "f:3:1: the key `a` stands here twice",
    ]


@pytest.mark.parametrize("name", MISREAD_BYTES)
def test_other_encodings_are_refused_with_the_place(tmp_path: Path, name: str) -> None:
    raw, place = MISREAD_BYTES[name]
    path = tmp_path / "f"
    path.write_bytes(raw)
    with pytest.raises(GoalsFileError) as caught:
        Source.read(path, "f")
    assert str(caught.value) == f"f:{place}: not UTF-8 text; save the file with the encoding UTF-8"


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="gone: cannot be read: No such file"):
        Source.read(tmp_path / "gone", "gone")
    with pytest.raises(InputError, match="folder: cannot be read: Is a directory"):
        Source.read(tmp_path, "folder")


def test_a_huge_file_is_refused_unread(tmp_path: Path) -> None:
    path = tmp_path / "huge"
    with path.open("wb") as file:
        file.truncate(MAX_BYTES + 1)
    with pytest.raises(InputError, match="larger than 20 MB"):
        Source.read(path, "huge")


def test_aliases_are_values() -> None:
    value = Source("f", "a: &x [1, &y two]\nb: *x\nc: {d: *y}\n").value
    assert value == {"a": [1, "two"], "b": [1, "two"], "c": {"d": "two"}}


def test_an_alias_bomb_is_refused() -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 12)]
    assert "aliases (*name) repeat too much" in refusal("f", "\n".join(lines))


def test_a_chain_of_aliases_is_no_way_around_the_depth() -> None:
    lines = ["a0: &a0 [x]", *(f"a{n}: &a{n} [*a{n - 1}]" for n in range(1, 3_000))]
    with pytest.raises(GoalsFileError):
        Source("f", "\n".join(lines))


def test_deep_nesting_is_refused_without_a_crash() -> None:
    """In a process of its own, which says what it reads: the last that it says is what it did not survive."""
    finished = subprocess.run(
        [sys.executable, "-c", _READ_DEEP],
        input=json.dumps(DEEP),
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (finished.returncode, finished.stderr, finished.stdout.splitlines()) == (0, "", list(DEEP))


@pytest.mark.parametrize(
    ("depth", "taken"), [(1, True), (60, True), (70, False), (499, False), (501, False)], ids=lambda value: str(value)
)
def test_the_depth_that_is_taken(depth: int, taken: bool) -> None:
    for text in (
        f"a: {'[' * depth}{']' * depth}",
        f"a: {'{a: ' * depth}1{'}' * depth}",
        f"a: {'[' * depth}{'[b], {c: [d]}, ' * (600 if depth > 60 else 1)}{']' * depth}",
        f"a:\n  {'- ' * depth}x",
        "\n".join(" " * n + "a:" for n in range(depth)),
    ):
        if taken:
            Source("f", text)
        else:
            assert "nested too deeply" in refusal("f", text)


def test_brackets_and_dashes_in_texts_are_no_nesting() -> None:
    assert Source("f", f"a: '{'[{' * 1000}'\nb: {'x- ' * 1000}\n# {'- ' * 1000}\n").value["a"] == "[{" * 1000


@pytest.mark.parametrize("token", TOKENS, ids=lambda token: token[:6])
def test_secrets_are_found_wherever_they_stand(token: str) -> None:
    source = Source("f", f"# {token}\nwhy: {token}\n")
    assert [str(problem.place) for problem in source.problems] == ["f:1:3", "f:2:6"]
    assert all("looks like a secret token" in problem.message for problem in source.problems)


@pytest.mark.parametrize("text", HARMLESS)
def test_what_is_no_secret(text: str) -> None:
    assert Source("f", f"why: '{text}'\n").problems == []


@pytest.mark.parametrize("name", SECRETS)
def test_secrets_are_never_repeated(write: Callable[[str], Path], name: str) -> None:
    with pytest.raises(BackplanError) as caught:
        loader.load(write(SECRETS[name]))
    assert "looks like a secret token" in str(caught.value)
    assert TOKEN not in str(caught.value)
    assert TOKEN not in repr(caught.value)


def test_a_secret_is_not_repeated_between_files(write: Callable[[dict[str, str]], Path]) -> None:
    files = {"a.yaml": f"namespace: {TOKEN}\n{GOAL}", "b.yaml": f"account: x\nnamespace: b\n{GOAL.replace('A', 'B')}"}
    with pytest.raises(BackplanError) as caught:
        loader.load(write(files))
    assert TOKEN not in str(caught.value)


def test_a_valid_file_of_five_megabytes_loads(write: Callable[[str], Path]) -> None:
    step = "  - title: Step {}\n    takes: 3 days\n    notes: {}\n"
    steps = [step.format(n, "words that fill a line [of some length] " * 25) for n in range(10)]
    goals = [f"- title: Goal {n}\n  deadline: 2027-08-15\n  steps:\n{''.join(steps)}" for n in range(500)]
    path = write("goals:\n" + "".join(goals))
    assert path.stat().st_size > 5_000_000
    project = loader.load(path)
    assert len(project.goals) == 500
    assert project.goals[-1].steps[-1].key == "goal-499/step-9"
