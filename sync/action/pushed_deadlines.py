"""Commits the deadlines that the user moved in an app to the branch of the run, before any task is written."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from config import loader
from config.errors import BackplanError
from sync.action import commit, newest, workflow_commands
from sync.action.deadline_requests import request
from sync.reconcile.moved_deadlines import unwritten, with_deadlines
from sync.run import deadlines

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sync.reconcile.moved_deadlines import Verdict
    from sync.run.workspace import Workspace

_BRANCH = "refs/heads/"
# How git and GitHub word it that the workflow has no right to push; other failures may pass.
_NOT_ALLOWED = re.compile(r"\b403\b|permission|denied|could not read username|authentication failed", re.IGNORECASE)
_PROTECTED = re.compile(r"\bGH0(?:06|13)\b|protected branch|rule violations", re.IGNORECASE)
_RIGHTS = (
    "the workflow may not push: give its job `permissions: {contents: write}`, and `actions/checkout` "
    "`persist-credentials: true`"
)


def push(workspace: Workspace, verdicts: Mapping[str, Verdict]) -> dict[str, Verdict]:
    """Commit and push the edits of the goals files; return what becomes of the dates after that.

    Where the branch is protected, pull requests decide. Without the right to push, the dates are put back, as with
    `deadlines: file`. After any other failure the tasks keep them, and the next run tries again. Raises BackplanError
    if the goals files were changed by somebody else meanwhile.
    """
    moves = unwritten(verdicts)
    if not moves:
        return dict(verdicts)
    edits = _Edits(workspace, newest.Event.current())
    done = edits.push(moves)
    if done.result == "refused":
        return {
            **verdicts,
            **{goal_id: edits.refused(goal_id, verdict, done.why) for goal_id, verdict in moves.items()},
        }
    after = {goal_id: verdict.after for goal_id, verdict in moves.items()}
    if loader.load(workspace.path) != with_deadlines(workspace.project, after):
        raise BackplanError(
            f"{workspace.path}: was changed by a push during this run, which stops before any task is written; "
            "the run for that push does the rest"
        )
    return dict(verdicts)


@dataclass(frozen=True, slots=True)
class _Edits:
    """The edits of the goals files in the run for an event; None outside of GitHub Actions."""

    workspace: Workspace
    event: newest.Event | None

    def push(self, moves: Mapping[str, Verdict], branch: str = "") -> commit.Pushed:
        """Commit and push these to the branch of the run, or to another one."""
        if self.event is None or not self.event.ref.startswith(_BRANCH):
            return commit.Pushed("refused", "the run is not for a branch")
        days = ", ".join(f"{goal_id} to {verdict.after}" for goal_id, verdict in moves.items())
        try:
            top = newest.checkout(self.workspace.folder.resolve())
        except newest.UnknownError as error:
            return commit.Pushed("refused", str(error))
        files = deadlines.files(self.workspace, moves)
        edit, to = partial(self._edit, moves), f"{_BRANCH}{branch}" if branch else ""
        return commit.push(top, self.event.ref, files, f"backplan: move {days}", edit, to=to)

    def _edit(self, moves: Mapping[str, Verdict]) -> None:
        """Edit the files as they are now: where a goal has another deadline than this run has read, that one stays."""
        project = loader.load(self.workspace.path)
        goals = {goal.id: goal.deadline for goal in project.goals}
        still = {goal_id: verdict for goal_id, verdict in moves.items() if goals.get(goal_id) == verdict.before}
        deadlines.write(project, still)

    def refused(self, goal_id: str, verdict: Verdict, why: str) -> Verdict:
        """Return what becomes of a date whose edit could not be pushed, and annotate the run with it."""
        found = self._without_push(goal_id, verdict, why)
        workflow_commands.annotate("warning", f"The deadline of {goal_id} could not be pushed: {found.reason}")
        return found

    def _without_push(self, goal_id: str, verdict: Verdict, why: str) -> Verdict:
        if self.event and _PROTECTED.search(why):
            return request(self.event, goal_id, verdict, partial(self.push, {goal_id: verdict}))
        if _NOT_ALLOWED.search(why):
            return verdict.goes_back(f"{_RIGHTS}; `backplan move {goal_id} {verdict.after}` moves it as well")
        return verdict.stays(f"the edit could not be pushed ({why}), so the next run tries again")
