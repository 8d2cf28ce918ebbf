"""Runs the GitHub Action: one command with the inputs of `action.yml`, reported in a job summary and in annotations.

Users who have only a browser see nothing else of backplan. So every error ends in a sentence there that tells them what
to do.
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
from sync.action import newest, tokens, workflow_commands
from sync.reports import as_json, safe_output, summary, text, words
from sync.run import pipeline
from sync.run.reading import read
from sync.run.workspace import open_workspace
from sync.schedule.model import State

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from sync.reconcile.change import ConnectorPlan
    from sync.run.homes import Binding
    from sync.run.reading import Reading
    from sync.run.workspace import Workspace
    from sync.schedule.model import ScheduledGoal

_COMMANDS = ("sync", "plan", "check")
_FAIL_ON = ("error", "late")
_REASONS = 5  # errors of changes that annotate the run; the table contains all
_NO_CHECKOUT = (
    "Nothing of the repository is here: in the workflow, the step `actions/checkout` has to stand before backplan's."
)
_NO_GOALS_FILE = (
    "To make one, open the repository's page: Add file > Create new file > goals.yaml. Where it is called otherwise, "
    "name it in the workflow, as `goals:` below `with:`."
)
_SECRETS = (
    "On GitHub, it is kept under Settings > Secrets and variables > Actions (New repository secret) with the name of "
    "that variable, and the workflow hands it on in the step that uses backplan: `env:`, and below it, as for Todoist, "
    "`TODOIST_API_TOKEN: ${{ secrets.TODOIST_API_TOKEN }}`. One that is there already has expired, was mistyped or may "
    "too little: put a new one in its place."
)
_FOR_ONE_RUN = ("allow-mass-change", "rebuild")  # inputs that a refusal names as options
_GOALS_FILES = ("*[Gg][Oo][Aa][Ll]*.[Yy]*", "*/*[Gg][Oo][Aa][Ll]*.[Yy]*")  # where a person may have put it
_ONLY_PLANNED = "This is a pull request, so it is only planned: the tasks follow once it is merged."
_NOT_READ = (
    "A pull request from a fork gets no secrets. These are the dates that the goals file alone gives; the run after "
    "the merge says what changes in the apps."
)


@dataclass(frozen=True, slots=True)
class Inputs:
    """The inputs of `action.yml`."""

    goals: Path | None
    command: str
    connectors: frozenset[str]
    allow_mass_change: bool
    rebuild: bool
    comment: bool
    fail_on: str
    version: str

    @classmethod
    def of(cls, environment: Mapping[str, str]) -> Inputs:
        """Read the variables INPUT_*. Raises InputError for an invalid value."""
        said = {name: value.strip() for name, value in environment.items() if name.startswith("INPUT_")}
        return cls(
            goals=Path(said["INPUT_GOALS"]) if said.get("INPUT_GOALS") else None,
            command=_one_of(said, "command", _COMMANDS),
            connectors=frozenset(said.get("INPUT_CONNECTOR", "").replace(",", " ").split()),
            allow_mass_change=_one_of(said, "allow-mass-change", ("false", "true")) == "true",
            rebuild=_one_of(said, "rebuild", ("false", "true")) == "true",
            comment=_one_of(said, "comment", ("false", "true")) == "true",
            fail_on=_one_of(said, "fail-on", _FAIL_ON),
            version=said.get("INPUT_VERSION", ""),
        )


def _one_of(said: Mapping[str, str], name: str, known: Sequence[str]) -> str:
    """Return an input that is one of the known values; by default the first of them."""
    value = said.get(f"INPUT_{name.upper().replace('-', '_')}") or known[0]
    if value not in known:
        raise InputError(f"the input `{name}` of the workflow is `{value}`; it takes {' or '.join(known)}")
    return value


@dataclass(frozen=True, slots=True)
class Outcome:
    """The result of a run: its report, and whether it succeeded; `told` if it made a plan."""

    report: str
    exit_code: int = 0
    told: summary.Told | None = None

    @property
    def late(self) -> list[ScheduledGoal]:
        """The goals that are late or were missed."""
        goals = self.told.schedule.goals if self.told else ()
        return [goal for goal in goals if goal.state in (State.LATE, State.MISSED)]

    def outputs(self) -> dict[str, str]:
        """Return the outputs of `action.yml`: whether anything changed, and numbers of changes."""
        writes = [change for plan in self.told.plans for change in plan.news] if self.told else []
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
    SILENCE.set(Silence(tell=print))
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
        what = f"backplan met a case that it should know and does not: {type(error).__name__}: {error}"
        return _stopped(BackplanError(f"{what}. Please report it, with the goals file if that may be seen."))


def run(inputs: Inputs, folder: Path) -> Outcome:
    """Run the command in the inputs, and write the plan into `folder`. Raises BackplanError."""
    _refuse_version(inputs.version)
    tokens.refuse_shown()
    path = _goals_path(inputs.goals)
    age = _age(inputs.command, path)
    workspace = _workspace(path)
    homes = workspace.homes()  # connectors have names and settings to be right, too
    _refuse_unknown(inputs.connectors, homes)
    if inputs.command == "check":
        return _checked(workspace)
    try:
        outcome = _reconciled(inputs, age, workspace, homes, folder)
    except CredentialsError as error:
        if not pull_request.on_pull_request():
            raise
        outcome = _offline(workspace, f"No app was read: {error}. {_NOT_READ}")
    _warn_of_late(outcome)
    if inputs.comment:
        _comment(workspace, outcome)
    return replace(outcome, exit_code=1) if inputs.fail_on == "late" and outcome.late else outcome


# What may be wrong before anything is read


def _refuse_version(wanted: str) -> None:
    ours = version("backplan")
    if wanted and not f"{ours}.".startswith(f"{wanted}."):
        raise InputError(
            f"the workflow asks for version {wanted} of backplan, and this is {ours}: change what stands after the @ "
            "in `uses:`, or the input `version`"
        )


def _goals_path(path: Path | None) -> Path:
    try:
        return loader.find(path)
    except InputError:
        raise InputError(f"{path or 'goals.yaml'}: there is no such file. {_what_is_there()}") from None


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


def _what_is_there() -> str:
    """Return what to do about a goals file that was not found."""
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
    inputs: Inputs, age: newest.Age, workspace: Workspace, homes: Sequence[Binding], folder: Path
) -> Outcome:
    """Make the plans, and carry them out if that is requested and allowed."""
    began = time.monotonic()
    allow = inputs.allow_mass_change
    reading = read(workspace.project, homes, workspace.today, rebuild=inputs.rebuild, allow_mass_change=allow)
    homes = reading.homes
    plans = pipeline.make_plans(
        reading,
        only_connectors=inputs.connectors,
        allow_mass_change=allow or age.old,  # if nothing is written, nothing has to be refused
    )
    _save(folder / "plan.json", plans, homes, workspace)  # before the first change: a killed run can be undone, too
    write = inputs.command == "sync" and not pull_request.on_pull_request() and not age.old
    if write:
        plans = pipeline.apply(plans, homes, print, limited=len(plans) < len(homes) - len(reading.unread))
        _save(folder / "plan.json", plans, homes, workspace)
    failures = list(_what_failed(reading, plans))
    unmerged = inputs.command == "sync" and pull_request.on_pull_request()
    notes = [*([_ONLY_PLANNED] if unmerged else []), *([age.note] if age.note else [])]
    notes += [*_notes(reading, plans), *workspace.left_lists(homes), *failures]
    cost = summary.Cost({home.label: home.connector.requests for home in homes}, time.monotonic() - began)
    told = summary.Told(reading.schedule, plans, write, cost, notes)
    for line in (*text.plan(plans, workspace.project.titles, applied=write), *text.status(reading.schedule)):
        text.console().print(line)
    return Outcome(summary.run(told), 1 if failures else 0, told)


def _save(path: Path, plans: Sequence[ConnectorPlan], homes: Sequence[Binding], workspace: Workspace) -> None:
    connectors = {home.label: home.connector for home in homes}
    document = as_json.plans(plans, connectors, workspace.project.namespace)
    replace_file(path, f"{hide(as_json.text(document))}\n".encode())


def _what_failed(reading: Reading, plans: Sequence[ConnectorPlan]) -> Iterator[str]:
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
        yield f"{label}: a new memory was started; which steps you had deleted is not known any more"
    yield from (f"{view.label}: {notice}" for view in reading.views for notice in view.snapshot.notices)
    yield from (f"{plan.label}: {notice}" for plan in plans for notice in plan.notices)


def _offline(workspace: Workspace, why: str) -> Outcome:
    """Return the dates from the goals file alone."""
    planned, _ = workspace.offline_schedule()
    told = summary.Told(planned, (), applied=False, notes=[why])
    return Outcome(summary.run(told), 0, told)


# What is told besides


def _warn_of_late(outcome: Outcome) -> None:
    """Annotate the deadlines of late goals in the goals file."""
    for goal in outcome.late[: workflow_commands.MOST_ANNOTATIONS]:
        holds = goal.earliest_deadline
        more = f"; the earliest deadline that holds is {display.day(holds)}" if holds else ""
        message = f"{goal.goal.title}: {words.health(goal)}{more}"
        workflow_commands.annotate("warning", message, goal.goal.origin.at("deadline"))


def _comment(workspace: Workspace, outcome: Outcome) -> None:
    """Write the plan into the pull request's comment; if that is not allowed, it is only in the summary."""
    number = workflow_commands.event().get("pull_request", {}).get("number")
    if not isinstance(number, int) or outcome.told is None:
        return
    from sync.action import pr_comment

    marker = f"<!-- backplan's plan of {workspace.project.namespace}, kept up to date -->"
    try:
        repository, token = (os.environ.get(name, "") for name in ("GITHUB_REPOSITORY", "GITHUB_TOKEN"))
        told = replace(outcome.told, cost=None)  # seconds differ each time; the comment stands while the plan does
        pr_comment.put(repository, number, token, marker, summary.run(told, summary.COMMENT_LIMIT))
    except BackplanError as error:
        workflow_commands.annotate("notice", str(error))


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
