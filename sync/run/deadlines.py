"""Writes deadlines that the user moved in an app into the goals files, before any task is written.

So a run that is cut short is finished by the next one: see `sync.reconcile.moved_deadlines`.

The edited files are checked first: they have to be a project that differs by these deadlines and by nothing else.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from config import edit, loader
from config.errors import BackplanError
from sync.reconcile.moved_deadlines import unwritten, with_deadlines
from sync.run import reading

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping
    from datetime import date

    from config.project import Goal, Project
    from sync.reconcile.moved_deadlines import Verdict
    from sync.run.workspace import Workspace

_WORKFLOWS = ".github/workflows"
_OURS = "/backplan@"  # in the `uses:` of a workflow


def decide(workspace: Workspace, found: reading.Snapshots, only_goals: Collection[str] = ()) -> dict[str, Verdict]:
    """Return what becomes of the dates that the user gave to the goals' own tasks; nothing is written.

    only_goals: ids of the goals that the run is about; all of them where none is named.
    """
    verdicts = reading.moved_deadlines(workspace.project, found, lambda goal, day: _why_not(workspace, goal, day))
    return {goal_id: verdict for goal_id, verdict in verdicts.items() if not only_goals or goal_id in only_goals}


def _why_not(workspace: Workspace, goal: Goal, day: date) -> str:
    """Return why the goals file cannot be edited so that a goal has this deadline; empty if it can."""
    try:
        edited = loader.load(workspace.path, edit.move_deadlines([(goal, day)]))
    except BackplanError as error:
        return str(error).partition("\n")[0]
    if edited != with_deadlines(workspace.project, {goal.id: day}):
        return f"{goal.origin.at('deadline')}: an edit here would change more than this deadline; edit it by hand"
    return ""


def left_to_workflow(workspace: Workspace, verdicts: Mapping[str, Verdict]) -> dict[str, Verdict]:
    """Return the verdicts of a run on the user's machine: if a workflow of the repository syncs, it edits the file."""
    if not (unwritten(verdicts) and _has_workflow(workspace.folder)):
        return dict(verdicts)
    return {goal_id: _left(goal_id, verdict) for goal_id, verdict in verdicts.items()}


def _left(goal_id: str, verdict: Verdict) -> Verdict:
    if verdict.outcome != "moved" or verdict.written:
        return verdict
    why = f"the next run of the workflow writes it there; `backplan move {goal_id} {verdict.after}` does it here"
    return verdict.stays(why)


def _has_workflow(folder: Path) -> bool:
    """Return whether a workflow in the repository around a folder runs backplan."""
    here = folder.resolve()
    top = next((place for place in (here, *here.parents) if (place / ".git").exists()), None)
    files = sorted((top / _WORKFLOWS).glob("*.y*ml")) if top else []
    return any(_OURS in file.read_text("utf-8", errors="replace") for file in files if file.is_file())


def write(project: Project, verdicts: Mapping[str, Verdict]) -> None:
    """Write the deadlines that moved into the goals files.

    Raises BackplanError if a file was changed since it was read.
    """
    moves = _moves(project, verdicts)
    sources = {goal.origin.source.name: goal.origin.source for goal, _ in moves}
    for name, text in edit.move_deadlines(moves).items():
        edit.save(Path(name), sources[name], text)


def files(workspace: Workspace, verdicts: Mapping[str, Verdict]) -> list[Path]:
    """Return the goals files that `write` edits."""
    return sorted({Path(goal.origin.source.name) for goal, _ in _moves(workspace.project, verdicts)})


def _moves(project: Project, verdicts: Mapping[str, Verdict]) -> list[tuple[Goal, date]]:
    moves = unwritten(verdicts)
    return [(goal, moves[goal.id].after) for goal in project.goals if goal.id in moves]


def notes(workspace: Workspace, verdicts: Mapping[str, Verdict], *, written: bool) -> Iterator[str]:
    """Yield a sentence on each edit of a goals file. written: it was made; otherwise it is only planned."""
    what = "wrote" if written else "would write"
    for goal, day in _moves(workspace.project, verdicts):
        before = verdicts[goal.id].before
        name = goal.origin.source.name
        yield f"{what} {name}: the deadline of {goal.id} is {day} instead of {before}, as its task was moved there"
