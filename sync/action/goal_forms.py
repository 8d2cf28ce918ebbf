"""Takes in forms for new goals: each adds a goal to the goals file, which is committed and pushed before the sync.

- Each run takes in all open forms, whatever its event: events get lost, and runs are killed.
- A goal's id ends in the number of its issue. Where it is in the file already, only the answer is missing.
- A form counts only if its author, and whoever sent the event about it, may write to the repository.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any

from config import goal_form, new_goal
from config.edit import save
from config.errors import BackplanError, CredentialsError, GoalsFileError, InputError
from config.keys import slug
from config.source import Source
from config.templates import Templates
from sync.action import commit, newest, workflow_commands
from sync.action.comments import author, text
from sync.action.form_issues import FormIssues
from sync.reports import markdown, summary

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from config.new_goal import NewGoal
    from config.project import Project
    from sync.run.workspace import Workspace
    from sync.schedule.model import Schedule

_MOST_SHOWN = 5  # mistakes of the goals file in an answer
_NOT_ALLOWED = (
    "Forms for new goals are not taken in, as the workflow's token may not read or answer them: give the job the "
    "permissions `contents: write` and `issues: write`"
)
_REFUSED = (
    "The form is right, but GitHub refused the commit to `{branch}`. If that branch is protected, let GitHub Actions "
    "push to it: Settings > Rules > Rulesets, or Settings > Branches. The checkout in the workflow "
    "needs `persist-credentials: true`. The run's annotations have the reason."
)
_TRY_AGAIN = "To correct it, edit the text of this issue: “…” above it, *Edit*. backplan then tries again."


@dataclass(frozen=True, slots=True)
class _Taken:
    """A form whose goal is in the goals file. again: it was there before this run."""

    number: int
    goal_id: str
    again: bool


class _NotNowError(BackplanError):
    """A form may be right, and its goal cannot be added now."""


def take_in(path: Path, workspace: Callable[[], Workspace]) -> Forms | None:
    """Add the goals of all open forms to the goals file at `path`, and push it; None outside of GitHub Actions.

    workspace: reads the goals files as they are now. A problem is an annotation of the run, and no error: the sync does
    not depend on forms.
    """
    event = newest.Event.current()
    if event is None:
        return None
    forms = Forms(path, workspace, event)
    try:
        forms.take_in()
    except CredentialsError as error:
        workflow_commands.annotate("warning", f"{_NOT_ALLOWED} ({error})")
    except BackplanError as error:
        workflow_commands.annotate("warning", f"Forms for new goals wait for the next run: {error}")
    return forms


class Forms:
    """The open forms of a repository. Those whose goal is in the goals file are answered after the sync."""

    def __init__(self, path: Path, workspace: Callable[[], Workspace], event: newest.Event) -> None:
        self._path = path
        self._workspace = workspace
        self._event = event
        self._issues = FormIssues(os.environ.get("WORKFLOW_TOKEN", ""), event.repository)
        self._taken: list[_Taken] = []

    def take_in(self) -> None:
        """Take in all open forms. Raises BackplanError if GitHub refuses."""
        self._issues.make_label()
        for issue in list(self._issues.open()):
            number = int(issue["number"])
            if stranger := next((login for login in self._people(issue) if not self._issues.may_write(login)), None):
                note = f"The form in issue #{number} was left alone: {stranger} may not write to this repository."
                workflow_commands.annotate("notice", note)
                continue
            try:
                self._take(number, str(issue.get("title") or ""), text(issue))
            except _NotNowError as error:
                self._reply(number, str(error).splitlines(), "The next run tries again.")
            except InputError as error:
                self._reply(number, _sentences(error), _TRY_AGAIN)

    def answer(self, schedule: Schedule) -> None:
        """Answer with the dates of the goals that were taken in, and close their issues."""
        goals = {goal.goal.id: goal for goal in schedule.goals}
        try:
            for one in self._taken:
                if goal := goals.get(one.goal_id):
                    shown = _shown(replace(schedule, goals=(goal,), loads=()))
                    where = f"The goal is `{one.goal_id}` in `{self._path.as_posix()}`, where you can change it.\n\n"
                    self._issues.finish(one.number, where + shown, again=one.again)
        except BackplanError as error:
            workflow_commands.annotate("warning", f"A form could not be answered; the next run tries again: {error}")

    def _people(self, issue: dict[str, Any]) -> list[str]:
        """Return who has to be allowed to write: the author, and who sent the event, if it is about this issue."""
        event = workflow_commands.event()
        is_about = (event.get("issue") or {}).get("number") == issue["number"]
        sender = str((event.get("sender") or {}).get("login") or "")
        return list(dict.fromkeys([author(issue) or "a deleted account", *([sender] if is_about and sender else [])]))

    def _reply(self, number: int, sentences: Sequence[str], end: str) -> None:
        lines = [f"- {markdown.sentence(sentence)}" for sentence in sentences]
        said = ["This goal is not in your plan yet:", "", *lines, "", end]
        self._issues.answer(number, "\n".join(said))

    def _take(self, number: int, title: str, body: str) -> None:
        """Add the goal of a form, unless it is there. Raises InputError with the mistakes of the form."""
        project = self._project()
        if there := _goal_there(project, number, title):
            self._taken.append(_Taken(number, there, again=True))
            return
        file = self._file()
        templates = Templates(file.parent / "templates").names()
        goal = goal_form.read(number, title, body, templates, self._workspace().today)
        _refuse_taken(project, goal)
        try:
            top = newest.checkout(file.resolve().parent)
            message = f"backplan: add the goal of issue #{number}"
            done = commit.push(top, self._event.ref, [file], message, partial(self._edit, file, number, goal))
        except newest.UnknownError as error:
            done = commit.Pushed("refused", str(error))
        if done.result == "refused":
            workflow_commands.annotate("warning", f"The goal of issue #{number} could not be pushed: {done.why}")
            raise _NotNowError(_REFUSED.format(branch=self._event.branch))
        self._taken.append(_Taken(number, goal.id, again=done.result == "nothing"))

    def _edit(self, file: Path, number: int, goal: NewGoal) -> None:
        """Add a goal to the file as it is now, and check the result. Raises InputError."""
        project = self._project()
        if _goal_there(project, number, goal.title):
            return
        _refuse_taken(project, goal)
        source = Source.read(file, str(file))
        try:
            added = new_goal.add(source, goal)
            if problems := Source(str(file), added).problems:
                raise GoalsFileError(problems)
            save(file, source, added)
            self._workspace()
        except InputError:
            raise
        except BackplanError as error:
            raise _NotNowError(str(error)) from None

    def _project(self) -> Project:
        """Read the goals files as they are. Raises _NotNowError with their mistakes."""
        try:
            return self._workspace().project
        except GoalsFileError as error:
            found = [str(problem) for problem in error.problems]
            more = [f"and {len(found) - _MOST_SHOWN} more"] if len(found) > _MOST_SHOWN else []
            lines = ["The goals file has mistakes, so that nothing is added to it:", *found[:_MOST_SHOWN], *more]
            raise _NotNowError("\n".join(lines)) from None

    def _file(self) -> Path:
        """Return the file for new goals: in a folder, `goals.yaml`, or the only one. Raises _NotNowError."""
        if not self._path.is_dir():
            return self._path
        files = [path for path in sorted(self._path.iterdir()) if path.suffix in (".yaml", ".yml") and path.is_file()]
        chosen = [path for path in files if path.name == "goals.yaml"] or files
        if len(chosen) == 1:
            return chosen[0]
        raise _NotNowError(
            f"Your goals are in several files of `{self._path.as_posix()}`. Name one of them `goals.yaml`: forms are "
            "added to that one."
        )


def _goal_there(project: Project, number: int, title: str) -> str:
    """Return the id of the goal of a form if it is in the goals files; else an empty text.

    Raises InputError if another goal's id ends in the same number: it may be this goal with another title.
    """
    wanted = goal_form.goal_id(title, number)
    for goal in project.goals:
        if goal.id == wanted or (goal.id.endswith(f"-{number}") and not goal.titled_id):
            if goal.id == wanted or slug(goal.title) == slug(title):
                return goal.id
            raise InputError(
                f"“{goal.title}” is in your plan as `{goal.id}`, and that id ends in the number of this issue. If it "
                "is this goal, close the issue. If it is another one, fill in a new form."
            )
    return ""


def _refuse_taken(project: Project, goal: NewGoal) -> None:
    """Raise InputError if another goal has the title."""
    same = next((one for one in project.goals if slug(one.title) == slug(goal.title) or one.title == goal.title), None)
    if same is not None:
        raise InputError(
            f"“{same.title}” is in your plan already, as `{same.id}`. Give this goal another "
            "title; or close the issue, and change the goal in the goals file."
        )


def _sentences(error: InputError) -> list[str]:
    """Return what is wrong in a form: without places, for the lines are not in the file."""
    if isinstance(error, GoalsFileError):
        return [problem.message for problem in error.problems][:_MOST_SHOWN]
    return str(error).splitlines()


def _shown(schedule: Schedule) -> str:
    """Return the dates of a goal; without the chart, and without the rows at the end, if GitHub takes no more."""
    whole = markdown.schedule(schedule)
    if len(whole.encode()) <= summary.COMMENT_LIMIT:
        return whole
    lines = whole.partition("```mermaid")[0].rstrip().split("\n")
    return "\n".join(summary.fitting(lines, summary.COMMENT_LIMIT, "rows"))
