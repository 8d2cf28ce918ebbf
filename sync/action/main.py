"""Runs the GitHub Action: one command with the inputs of `action.yml`, reported in a job summary and in annotations.

Users who have only a browser see nothing else of backplan. So every error ends in a sentence there, with a remedy.
"""

from __future__ import annotations

import os
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass, replace
from datetime import date
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

from config import display, loader, pull_request
from config.atomic_write import replace_file
from config.errors import BackplanError, CredentialsError, GoalsFileError, InputError, RefusedError
from config.redaction import hide
from connectors.base import Action
from connectors.silence import SILENCE, Silence
from sync.action import digest, goal_forms, newest, page, pushed_deadlines, tokens, workflow_commands
from sync.action.inputs import Inputs
from sync.reports import as_json, safe_output, summary, text, words
from sync.run import deadlines, pipeline
from sync.run.reading import take_snapshots, work_out
from sync.run.workspace import open_workspace
from sync.schedule.model import State

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from config.project import Project
    from sync.reconcile.change import ConnectorPlan
    from sync.reconcile.moved_deadlines import Verdict
    from sync.run.homes import Binding
    from sync.run.reading import Reading
    from sync.run.workspace import Workspace
    from sync.schedule.model import Schedule, ScheduledGoal

_REASONS = 5  # errors of changes that annotate the run; the table contains all
_NO_CHECKOUT = "The repository is not checked out: in the workflow, put the step `actions/checkout` before backplan's."
_NO_GOALS_FILE = (
    "To create it, open the repository's page: Add file > Create new file > goals.yaml. If it has another name, "
    "write that in the workflow, as `goals:` below `with:`."
)
_SECRETS = (
    "On GitHub, it is kept under Settings > Secrets and variables > Actions (New repository secret) with the name of "
    "that variable, and the workflow passes it on in the step that uses backplan: `env:`, and below it, as for "
    "Todoist, `TODOIST_API_TOKEN: ${{ secrets.TODOIST_API_TOKEN }}`. If the token is there already, it has expired, "
    "was mistyped or lacks a permission: replace it with a new one."
)
_FOR_ONE_RUN = ("allow-mass-change", "rebuild")  # inputs that a refusal names as options
_GOALS_FILES = ("*[Gg][Oo][Aa][Ll]*.[Yy]*", "*/*[Gg][Oo][Aa][Ll]*.[Yy]*")  # where the user may have put it
_ONLY_PLANNED = "This is a pull request, so it is only planned: the tasks follow once it is merged."
_NOT_READ = (
    "A pull request from a fork gets no secrets. These dates are from the goals file alone; the run after the merge "
    "shows the changes in the apps."
)


@dataclass(frozen=True, slots=True)
class Outcome:
    """The result of a run: its report, and whether it succeeded; `details` if it made a plan.

    schedule_of: returns the schedule of other goals files, with the progress that this run has read.
    """

    report: str
    exit_code: int = 0
    details: summary.Told | None = None
    schedule_of: Callable[[Project], Schedule] | None = None

    @property
    def late(self) -> list[ScheduledGoal]:
        """The goals that are late or were missed."""
        goals = self.details.schedule.goals if self.details else ()
        return [goal for goal in goals if goal.state in (State.LATE, State.MISSED)]

    def outputs(self) -> dict[str, str]:
        """Return the outputs of `action.yml`: whether anything changed, and numbers of changes."""
        writes = [change for plan in self.details.plans for change in plan.news] if self.details else []
        done = [change.action for change in writes if change.status in ("planned", "applied")]
        created, removed = done.count(Action.CREATE), done.count(Action.REMOVE)
        counts = {
            "created": created,
            "updated": len(done) - created - removed,
            "removed": removed,
            "failed": sum(change.status == "failed" for change in writes),
            "late": len(self.late),
        }
        return {"changed": str(bool(done)).lower(), **{name: str(number) for name, number in counts.items()}}


def main() -> None:
    """Run, and exit with the code."""
    safe_output.guard()
    SILENCE.set(Silence(report=print))
    folder = Path(tempfile.mkdtemp(prefix="backplan-", dir=os.environ.get("RUNNER_TEMP")))
    outcome = _carefully(folder)
    report, document = folder / "report.md", folder / "plan.json"
    replace_file(report, outcome.report.encode("utf-8", "replace"))
    workflow_commands.add_summary(outcome.report)
    files = {"plan-json": str(document) if document.exists() else "", "report": str(report)}
    workflow_commands.set_outputs(outcome.outputs() | files)
    sys.exit(outcome.exit_code)


def _carefully(folder: Path) -> Outcome:
    """Return the result of the run, even after an unexpected error."""
    try:
        return run(Inputs.of(os.environ), folder)
    except BackplanError as error:
        return _stopped(error)
    except Exception as error:  # the user must get a sentence, not a traceback
        what = f"unexpected {type(error).__name__}: {error}. This is a bug in backplan"
        return _stopped(BackplanError(f"{what}; please report it, with the goals file if that may be public"))


def run(inputs: Inputs, folder: Path) -> Outcome:
    """Run the command in the inputs, and write the plan into `folder`. Raises BackplanError."""
    _refuse_version(inputs.version)
    tokens.refuse_shown()
    path = _goals_path(inputs.goals)
    age = _age(inputs.command, path)
    writes = inputs.command == "sync" and not pull_request.on_pull_request() and not age.old
    forms = goal_forms.take_in(path, lambda: _workspace(path)) if inputs.forms and writes else None
    workspace = _workspace(path)
    homes = workspace.homes()  # also checks the names and options of connectors
    _refuse_unknown(inputs.connectors, homes)
    if inputs.command == "check":
        return _checked(workspace)
    try:
        outcome = _reconciled(inputs, age, workspace, homes, folder, write=writes)
    except CredentialsError as error:
        if not pull_request.on_pull_request():
            raise
        outcome = _offline(workspace, f"No app was read: {error}. {_NOT_READ}")
    _warn_of_late(outcome)
    _publish(outcome, workspace, comment=inputs.comment)
    if outcome.details and writes and not outcome.exit_code:
        _tell(outcome.details, workspace, forms)
    return replace(outcome, exit_code=1) if inputs.fail_on == "late" and outcome.late else outcome


# Checks before anything is read


def _refuse_version(wanted: str) -> None:
    ours = version("backplan")
    if wanted and not f"{ours}.".startswith(f"{wanted}."):
        raise InputError(
            f"the workflow requires version {wanted} of backplan, and this is {ours}: change the part after the @ in "
            "`uses:`, or the input `version`"
        )


def _goals_path(path: Path | None) -> Path:
    try:
        return loader.find(path)
    except InputError:
        raise InputError(f"{path or 'goals.yaml'}: there is no such file. {_remedy()}") from None


def _age(command: str, path: Path) -> newest.Age:
    """Return whether the goals file is too old to write tasks, and annotate the run with the consequence."""
    if command != "sync" or pull_request.on_pull_request():
        return newest.Age()
    age = newest.age(path)
    if age.note:
        workflow_commands.annotate("warning" if age.old else "notice", age.note)
    return age


def _workspace(path: Path) -> Workspace:
    today = os.environ.get("BACKPLAN_TODAY")  # as on the command line: to try things out
    return open_workspace(path, date.fromisoformat(today) if today else None)


def _remedy() -> str:
    """Return the remedy for a goals file that was not found."""
    here = Path()
    if not any(here.iterdir()):
        return _NO_CHECKOUT
    names = (path.as_posix() for pattern in _GOALS_FILES for path in here.glob(pattern) if path.is_file())
    near = next((name for name in sorted(names, key=len) if not name.startswith(".")), None)
    if near is None:
        return _NO_GOALS_FILE
    return f"There is `{near}`: rename it, or name it in the workflow, as `goals: {near}` below `with:`."


def _refuse_unknown(names: Iterable[str], homes: Iterable[Binding]) -> None:
    known = {home.connector.name for home in homes}
    for name in names:
        if name not in known:
            there = ", ".join(sorted(known))
            raise InputError(f"the input `connector` of the workflow is `{name}`, and the goals file names {there}")


# The commands


def _checked(workspace: Workspace) -> Outcome:
    workspace.refuse_doubts()
    goals = workspace.project.goals
    steps = sum(len(goal.steps) for goal in goals)
    sentence = f"no mistakes: {display.count(len(goals), 'goal')} with {display.count(steps, 'step')}"
    print(sentence)
    return Outcome(summary.checked(sentence))


def _reconciled(
    inputs: Inputs, age: newest.Age, workspace: Workspace, homes: Sequence[Binding], folder: Path, *, write: bool
) -> Outcome:
    """Make the plans, and carry them out if that is requested and allowed."""
    began = time.monotonic()
    allow = inputs.allow_mass_change
    found = take_snapshots(workspace.project, homes, workspace.today, rebuild=inputs.rebuild, allow_mass_change=allow)

    def planned(moved: Mapping[str, Verdict]) -> tuple[Reading, list[ConnectorPlan]]:
        reading = work_out(workspace.project, found, workspace.today, deadlines=moved)
        may_remove = allow or age.old  # if nothing is written, nothing has to be refused
        return reading, pipeline.make_plans(reading, only_connectors=inputs.connectors, allow_mass_change=may_remove)

    moved = decided = deadlines.decide(workspace, found)
    reading, plans = planned(moved)
    if write and (moved := pushed_deadlines.push(workspace, decided)) != decided:
        reading, plans = planned(moved)
    homes = reading.homes
    _save(folder / "plan.json", plans, homes, workspace)  # before the first change: a killed run can be undone, too
    if write:
        plans = pipeline.apply(plans, homes, print, limited=len(plans) < len(homes) - len(reading.unread))
        _save(folder / "plan.json", plans, homes, workspace)
    failures = list(_failures(reading, plans))
    unmerged = inputs.command == "sync" and pull_request.on_pull_request()
    notes = [*([_ONLY_PLANNED] if unmerged else []), *([age.note] if age.note else [])]
    notes += [
        *deadlines.notes(workspace, moved, written=write),
        *_notes(reading, plans),
        *workspace.left_lists(homes),
        *failures,
    ]
    cost = summary.Cost({home.label: home.connector.requests for home in homes}, time.monotonic() - began)
    details = summary.Told(reading.schedule, plans, write, cost, notes)
    shown = text.status(reading.schedule) if failures or any(plan.shown for plan in plans) else ()
    for line in (*text.plan(plans, workspace.project.titles, applied=write), *shown):
        text.console().print(line)
    return Outcome(
        summary.run(details), 1 if failures else 0, details, lambda project: workspace.schedule_of(project, found)
    )


def _save(path: Path, plans: Sequence[ConnectorPlan], homes: Sequence[Binding], workspace: Workspace) -> None:
    connectors = {home.label: home.connector for home in homes}
    document = as_json.plans(plans, connectors, workspace.project.namespace)
    replace_file(path, f"{hide(as_json.text(document))}\n".encode())


def _failures(reading: Reading, plans: Sequence[ConnectorPlan]) -> Iterator[str]:
    """Yield a sentence on each failure, and annotate the run with it."""
    failed = Counter(change.error or "" for plan in plans for change in plan.changes if change.status == "failed")
    sentences = [
        *(f"{label} could not be read, so its goals were left alone: {why}" for label, why in reading.unread.items()),
        *(
            f"{goal.goal.id} does not fit before its deadline (`when_late: fail`), so it was left alone"
            for goal in reading.schedule.goals
            if goal.failed
        ),
        *(
            f"{display.count(number, 'change')} could not be made: {why}"
            for why, number in failed.most_common(_REASONS)
        ),
        *(f"{plan.label}: {words.unwritten(plan.error)}" for plan in plans if plan.error),
    ]
    for doubt in reading.doubts():
        place, message = workflow_commands.placed(doubt)
        workflow_commands.annotate("error", message, place)
        yield doubt
    for sentence in sentences:
        workflow_commands.annotate("error", sentence)
        yield sentence


def _notes(reading: Reading, plans: Sequence[ConnectorPlan]) -> Iterator[str]:
    """Yield other sentences for the report: notices of the apps, and a missing line in the workflow."""
    for sentence in tokens.not_named({home.connector.name for home in reading.homes}):
        workflow_commands.annotate("warning", sentence)
        yield sentence
    for label in reading.rebuilt:
        yield f"{label}: a new memory was started; steps that you had deleted may come back"
    yield from (f"{view.label}: {notice}" for view in reading.views for notice in view.snapshot.notices)
    yield from (f"{plan.label}: {notice}" for plan in plans for notice in plan.notices)


def _offline(workspace: Workspace, why: str) -> Outcome:
    """Return the dates from the goals file alone."""
    planned, _ = workspace.offline_schedule()
    details = summary.Told(planned, (), applied=False, notes=[why])
    return Outcome(
        summary.run(details), 0, details, lambda project: replace(workspace, project=project).offline_schedule()[0]
    )


# Annotations and comments


def _publish(outcome: Outcome, workspace: Workspace, *, comment: bool) -> None:
    """Write the page and the comment on the pull request, where the workflow requests them."""
    if outcome.details:
        page.write(outcome.details.schedule)
    if comment and outcome.details and outcome.schedule_of:
        from sync.action import pr_comment

        pr_comment.show(workspace, outcome.details, outcome.schedule_of)


def _warn_of_late(outcome: Outcome) -> None:
    """Annotate the deadlines of late goals in the goals file."""
    for goal in outcome.late[: workflow_commands.MOST_ANNOTATIONS]:
        holds = goal.earliest_deadline
        more = f"; the earliest deadline that holds is {display.near(holds)}" if holds else ""
        message = f"{goal.goal.title}: {words.health(goal)}{more}"
        workflow_commands.annotate("warning", message, goal.goal.origin.at("deadline"))


def _tell(details: summary.Told, workspace: Workspace, forms: goal_forms.Forms | None) -> None:
    """Answer forms, and publish the digest, where they are wanted."""
    if forms:
        forms.answer(details.schedule)
    if workspace.project.digest:
        digest.publish(details)


def _stopped(error: BackplanError) -> Outcome:
    """Return the report of an error, and annotate its place: the goals file, or the run."""
    sentences = [hide(sentence) for sentence in _sentences(error)]
    for sentence in sentences:
        print(f"error: {sentence}")
    for sentence in sentences[: workflow_commands.MOST_ANNOTATIONS]:
        place, message = workflow_commands.placed(sentence)
        workflow_commands.annotate("error", message, place)
    return Outcome(summary.failure(sentences), error.exit_code)


def _sentences(error: BackplanError) -> list[str]:
    if isinstance(error, GoalsFileError):
        return [str(problem) for problem in error.problems]
    if isinstance(error, CredentialsError):
        return [f"{error}. {_SECRETS}"]
    options = [name for name in _FOR_ONE_RUN if isinstance(error, RefusedError) and f"--{name}" in str(error)]
    meant = (f" In a workflow, that is the input `{name}: true` below `with:`, for one run." for name in options)
    return ["".join((str(error), *meant))]


if __name__ == "__main__":
    main()
