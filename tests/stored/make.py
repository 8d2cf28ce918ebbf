"""Makes a set of what the running version stores in every place, of runs that ended and of runs that were killed.

    .venv/bin/python tests/stored/make.py 1.2.0

writes tests/stored/1.2.0, of all places or of those that are named after it. A set is made once, of a version that
people have, and never again: `tests/test_stored.py` reads all sets with the version that runs there.
"""

from __future__ import annotations

import json
import shutil
import sys
import tempfile
from contextlib import suppress
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent.parent))

from config import loader
from tests.connectors.contract import run
from tests.connectors.scenarios import Killed
from tests.stored.places import THEIRS, WITH_PAGE, opened

if TYPE_CHECKING:
    from connectors.base import Connector
    from connectors.model import Snapshot
    from tests.histories.process import Run
    from tests.stored.places import Place

STORED = Path(__file__).resolve().parent
PLACES = ("markdown", "todoist", WITH_PAGE, "github", "caldav", "caldav-events", "taskwarrior")
DAYS = {"first": date(2027, 7, 20), "later": date(2027, 7, 27)}
FIRST = """\
namespace: me/goals
heartbeat: 3 days
goals:
  - id: role
    title: Apply for the shift lead role
    deadline: 2027-09-30
    steps:
      - {id: learn, title: Learn the rota, takes: 3 days, notes: "Bring the form\\n\\n*soon* <!-- -->", labels: [work]}
      - id: write
        title: Write it up
        parallel: true
        steps:
          - {id: resume, title: Update the resume, takes: 3 days, priority: high}
          - {id: letter, title: Write the cover letter, takes: 2 days}
      - {id: review, title: 'Have it read 📅 by "Jasmine" --> soon', takes: 1 week}
      - {id: rehearse, title: Rehearse, takes: 1 day}
      - {id: print, title: Print it, takes: 1 day}
      - {id: submit, title: Submit it, takes: 1 day}
  - id: fit
    title: Stay fit
    deadline: 2027-09-15
    steps:
      - {id: run, title: Run, takes: 1 day, every: 2 weeks}
      - {id: shoes, title: Buy shoes, takes: 2 days}
      - {id: race, title: Run the race, takes: 1 day}
"""
# Renamed: resume. Gone: print. Done: race. New: a group, and a step in it. Another deadline, and other words.
LATER = """\
namespace: me/goals
heartbeat: 3 days
goals:
  - id: role
    title: Apply for the role of a shift lead
    deadline: 2027-10-07
    steps:
      - {id: learn, title: Learn the rota, takes: 3 days, notes: "Bring the form\\n\\n*soon* <!-- -->", labels: [work]}
      - id: write
        title: Write it up
        parallel: true
        steps:
          - {id: cv, was: resume, title: Update the resume, takes: 4 days, priority: high}
          - {id: letter, title: Write the cover letter, takes: 2 days}
      - {id: review, title: 'Have it read 📅 by "Jasmine" --> soon', takes: 1 week}
      - {id: rehearse, title: Rehearse, takes: 1 day}
      - id: send
        title: Send it
        steps:
          - {id: call, title: Call them, takes: 1 day}
          - {id: submit, title: Submit it, takes: 1 day}
  - id: fit
    title: Stay fit
    deadline: 2027-09-15
    steps:
      - {id: run, title: Run, takes: 1 day, every: 2 weeks}
      - {id: shoes, title: Buy shoes, takes: 2 days}
      - {id: race, title: Run the race, takes: 1 day, done: 2027-07-26}
"""
GOALS = {"first": FIRST, "later": LATER}


def live(place: Place) -> None:
    """Let a week go by, in which a person works: ticks, drags, deletes, writes words of their own."""
    tasks = {task.marker.key: task for task in place.service.connector().read().tasks}
    place.wait_until(DAYS["later"])
    hands = place.service
    times = sorted(key for key in tasks if key.startswith("fit/run"))
    for key in ("role/learn", times[0]):
        hands.tick(tasks[key].native_id)
    hands.delete(tasks["role/rehearse"].native_id)
    hands.set_due(tasks["role/review"].native_id, date(2027, 9, 17))
    for key, day in (("fit/shoes", date(2027, 8, 20)), (times[-1], date(2027, 9, 10))):
        hands.set_due(tasks[key].native_id, day)
    hands.set_title(tasks["role/letter"].native_id, "My own letter")
    hands.touch(tasks["role/submit"].native_id)


def values(snapshot: Snapshot) -> dict[str, Any]:
    """Return what is read: of each goal and key that is remembered, and of each task."""
    return {
        "goals": {
            goal_id: [str(goal.first_sync), goal.made and str(goal.made), goal.digest, len(goal.dates)]
            for goal_id, goal in snapshot.memory.items()
        },
        "keys": {
            key: [entry.state, entry.native_id, entry.generation, entry.done_on and str(entry.done_on)]
            for goal in snapshot.memory.values()
            for key, entry in goal.keys.items()
        },
        "tasks": {
            task.marker.key: {
                "title": task.content.title,
                "due": task.content.due and str(task.content.due),
                "state": "done" if task.done else "dropped" if task.dropped else "open",
                "marker": [
                    task.marker.nonce,
                    task.marker.generation,
                    task.marker.due and str(task.marker.due),
                    task.marker.pinned,
                ],
            }
            for task in snapshot.tasks
        },
    }


class Maker:
    """Writes the cases of a set."""

    def __init__(self, folder: Path, name: str) -> None:
        self.folder, self.name, self.cases = folder, name, []  # type: tuple[Path, str, list[dict[str, Any]]]

    def keep(self, place: Place, goals: str, title: str, *, finished: bool) -> str:
        """Write what is there now, and return it."""
        state = place.dump()
        file = f"{self.name}-{title}.{'md' if self.name == 'markdown' else 'json'}"
        (self.folder / file).write_text(state, encoding="utf-8", newline="")
        with tempfile.TemporaryDirectory() as folder, opened(self.name, Path(folder), state) as again:
            read = values(again.service.connector().read())
        case = {"place": self.name, "state": file, "file": f"{goals}.yaml", "today": str(DAYS[goals])}
        self.cases.append({**case, "finished": finished, **read})
        return state

    def make(self, scratch: Path) -> None:
        """Live through both runs, each of them killed, too."""
        with opened(self.name, scratch) as place:
            place.service.add_foreign_task(THEIRS)
            before: str | None = place.dump()
            for goals in GOALS:
                if goals == "later":
                    live(place)
                    before = place.dump()
                    if self.name == "markdown":
                        self.keep(place, goals, "later-killed", finished=False)
                sent = len(place.writes)
                self.finish(place.service.connector(), goals)
                writing = [at for at, wrote in enumerate(place.writes[sent:], start=1) if wrote]
                half = max(writing, key=lambda at: place.writes[sent + at - 1], default=0)
                self.keep(place, goals, goals, finished=True)
                in_batches = half and place.writes[sent + half - 1] > 1
                late = writing[-3 if goals == "first" and in_batches else -2 : -1]  # after the last one, all is there
                for at in late if in_batches else [*writing[len(writing) // 2 :][:1], *late]:
                    self.kill(goals, before, at)
                if in_batches:
                    self.kill(goals, before, half, half=True)

    def finish(self, connector: Connector, goals: str) -> Run:
        done = run(loader.load(self.folder / f"{goals}.yaml"), [connector], DAYS[goals])
        assert done.errors == [], done.errors
        return done

    def kill(self, goals: str, before: str | None, at: int, *, half: bool = False) -> None:
        with tempfile.TemporaryDirectory() as folder, opened(self.name, Path(folder), before) as place:
            with suppress(Killed):
                self.finish(place.dying(at, half=half), goals)
            self.keep(place, goals, f"{goals}-killed-{'in' if half else 'after'}-{at}", finished=False)


def main() -> None:
    """Make the set that is named."""
    name, *places = sys.argv[1:] or sys.exit(__doc__)
    folder = STORED / name
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    cases: list[dict[str, Any]] = []
    for goals, text in GOALS.items():
        (folder / f"{goals}.yaml").write_text(text, "utf-8")
    for place in places or PLACES:
        maker = Maker(folder, place)
        with tempfile.TemporaryDirectory() as scratch:
            maker.make(Path(scratch))
        cases += maker.cases
    (folder / "cases.json").write_text("[\n" + ",\n".join(map(_lines, cases)) + "\n]\n", "utf-8")


def _lines(case: dict[str, Any]) -> str:
    """Return a case as JSON, with a line for each key and task."""
    plain = {name: value for name, value in case.items() if not isinstance(value, dict)}
    parts = [f"{_json(name)}: {_json(value)}" for name, value in plain.items()]
    for name in (name for name in case if name not in plain):
        inner = ",\n".join(f"  {_json(key)}: {_json(value)}" for key, value in case[name].items())
        parts.append(f"{_json(name)}: {{\n{inner}\n }}")
    return "{" + ",\n ".join(parts) + "}"


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


if __name__ == "__main__":
    main()
