"""The kit for connectors, without a service: hidden lines, the memory in pieces, whose rows are whose, and rates."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

from hypothesis import given
from hypothesis import strategies as st

from connectors import stored
from connectors.codec import write_marker
from connectors.http import Rate, _Room
from connectors.model import Marker, StoredGoal, StoredKey
from connectors.snapshot import Classifier, Hiding, HtmlComment, LastLine, Row, tidy

HIDING = HtmlComment()
WAYS = st.sampled_from([HtmlComment(), LastLine()])
DAY = date(2027, 7, 20)
MARKERS = ("", "bp1 3f9a2c01d4 me/goals g/one 1 2027-08-05 - .")
LINES = st.sampled_from([*MARKERS, 'bpm1 me/goals 1/1 abc\n{"goal":"g"}'])
WORDS = st.lists(
    st.sampled_from(["<!--", "-->", "<!-- ", "bp1", " bpm1 me/goals 1/1 x\n{}", "\n", "\r\n", "Call", " ", "--", "/"])
    | st.text(max_size=3)
).map("".join)


@given(WAYS, WORDS, LINES)
def test_what_people_write_is_no_line_of_ours_and_both_come_back(hiding: Hiding, words: str, line: str) -> None:
    notes = tidy(hiding.escape(words))
    assert tidy(hiding.escape(notes)) == notes
    shown, hidden = hiding.split(hiding.join(notes, line))
    assert (tidy(shown), hidden) == (notes, line)


@given(WAYS, WORDS, WORDS, st.sampled_from(MARKERS))
def test_what_people_write_around_our_line_stays(hiding: Hiding, above: str, below: str, line: str) -> None:
    above, below = (hiding.escape(tidy(words)) for words in (above, below))
    shown, hidden = hiding.split(f"{hiding.join(above, line)}\n{below}")
    assert hidden == line
    assert shown.startswith(above.rstrip("\n"))
    assert shown.endswith(below)


KEYS = st.dictionaries(
    st.sampled_from(["g", "g/one", "g/two"]), st.builds(StoredKey, st.just("live"), st.text("1 2", min_size=1))
)
GOALS = st.builds(StoredGoal, st.just(DAY), st.dictionaries(st.sampled_from("abc"), st.just(StoredKey("live", "x"))))


def a_memory(keys: int, goal_id: str = "g") -> dict[str, StoredGoal]:
    return {goal_id: StoredGoal(DAY, {f"{goal_id}/s{n}": StoredKey("live", f"n{n}") for n in range(keys)})}


def rows_of(memory: dict[str, StoredGoal], longest: int, first: int = 1) -> list[Row]:
    lines = stored.write(memory, "me/goals", longest)
    texts = (HIDING.join(stored.ABOUT, line) for line in lines)
    return [Row(str(n), stored.TITLE, text, added=f"{n:04}") for n, text in enumerate(texts, start=first)]


@given(st.integers(0, 60), st.integers(200, 3000), st.randoms())
def test_a_memory_comes_back_from_any_number_of_pieces_in_any_order(keys: int, longest: int, random: object) -> None:
    memory = a_memory(keys)
    rows = rows_of(memory, longest)
    assert all(len(line) <= longest for line in stored.write(memory, "me/goals", longest))
    random.shuffle(rows)  # type: ignore[attr-defined]  # it is a Random
    found = stored.read(rows, "me/goals", HIDING)
    assert (found.memory, found.damage, found.spare) == (memory, "", ())
    assert [row.added for row in found.rows] == sorted(row.added for row in rows)
    assert stored.read(rows, "you/plans", HIDING) == stored.Stored({})


@given(st.integers(0, 9))
def test_a_run_that_dies_while_it_writes_pieces_leaves_a_whole_memory(some: int) -> None:
    old, new = rows_of(a_memory(40), 300), rows_of(a_memory(41), 300, first=100)
    made = some % len(new)
    found = stored.read([*old, *new[:made]], "me/goals", HIDING)
    assert (found.memory, found.rows) == (a_memory(40), tuple(old))
    assert found.spare == tuple(new[:made])
    found = stored.read([*old[made + 1 :], *new], "me/goals", HIDING)
    assert (found.memory, found.rows, found.spare) == (a_memory(41), tuple(new), tuple(old[made + 1 :]))


def test_two_memories_are_read_as_one_and_the_newer_counts() -> None:
    elder, newer = rows_of({**a_memory(3), **a_memory(1, "h")}, 9000), rows_of(a_memory(2), 9000, first=2)
    found = stored.read([*newer, *elder], "me/goals", HIDING)
    assert (found.memory, found.rows, found.spare) == ({**a_memory(3), **a_memory(1, "h")}, tuple(newer), tuple(elder))


def test_a_damaged_memory_is_told_and_one_that_anybody_wrote_is_none() -> None:
    (row,) = rows_of(a_memory(3), 9000)
    assert stored.read([replace(row, text=row.text.replace('"goal"', '"gaol"'))], "me/goals", HIDING).damage
    some = rows_of(a_memory(40), 300)[1:]
    assert stored.read(some, "me/goals", HIDING) == stored.Stored({}, spare=tuple(some))
    assert stored.read([replace(row, trusted=False)], "me/goals", HIDING) == stored.Stored({})


# Whose rows are whose


def a_row(number: int, nonce: str, *, key: str = "g/one", namespace: str = "me/goals", trusted: bool = True) -> Row:
    line = write_marker(Marker(namespace, key, nonce * 10))
    return Row(str(number), "Begin", HIDING.join("", line), added=f"{number:04}", trusted=trusted)


ROWS = st.lists(
    st.builds(
        a_row,
        st.integers(1, 99),
        st.sampled_from("ab"),
        key=st.sampled_from(["g", "g/one"]),
        namespace=st.sampled_from(["me/goals", "you/plans"]),
        trusted=st.booleans(),
    ),
    unique_by=lambda row: row.id,
)


@given(ROWS, st.dictionaries(st.sampled_from(["g", "g/one"]), st.integers(1, 99)))
def test_each_row_is_one_thing_and_of_those_alike_one_is_the_task(rows: list[Row], known: dict[str, int]) -> None:
    goal = StoredGoal(DAY, {key: StoredKey("live", str(number)) for key, number in known.items()})
    memory = {"g": goal} if known else {}
    found = Classifier("me/goals", HIDING, memory).snapshot(rows)
    tasks, copies = ({task.native_id for task in part} for part in (found.tasks, found.copies))
    remembered = {str(number) for number in known.values()}
    ours = {row.id for row in rows if "me/goals" in row.text and (row.trusted or row.id in remembered)}
    assert not tasks & copies
    assert tasks | copies == ours
    assert len({task.marker.nonce for task in found.tasks}) == len(tasks)
    assert tasks >= remembered & ours
    assert found.remembers == bool(memory or not tasks)


def test_the_copy_of_what_was_deleted_belongs_to_the_person_and_what_a_race_made_to_us() -> None:
    memory = {"g": StoredGoal(DAY, {"g/one": StoredKey("live", "1")})}
    classify = Classifier("me/goals", HIDING, memory).snapshot
    assert [task.native_id for task in classify([a_row(2, "a")]).copies] == ["2"]
    assert [task.native_id for task in classify([a_row(1, "a"), a_row(2, "b")]).tasks] == ["1", "2"]
    without = replace(a_row(1, "a"), text="")
    assert [task.native_id for task in classify([without, a_row(2, "b")]).tasks] == ["1"]


# Rates


@given(st.lists(st.tuples(st.floats(0, 30), st.booleans()), max_size=60), st.integers(1, 5), st.integers(1, 5))
def test_no_more_requests_than_a_rate_says_ever_go_out(asked: list[tuple[float, bool]], most: int, writes: int) -> None:
    rates = (Rate(most, 10.0), Rate(writes, 20.0, writes=True))
    room, now = _Room(rates), 0.0
    sent: list[tuple[float, bool]] = []
    for pause, writing in asked:
        now += pause
        now += room.take(now, writing=writing)
        sent.append((now, writing))
    for rate in rates:
        moments = [moment for moment, writing in sent if writing or not rate.writes]
        for first, last in zip(moments, moments[rate.count :], strict=False):
            assert last - first >= rate.seconds - 1e-6
