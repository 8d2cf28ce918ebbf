"""Runs one account: reads its app, plans, and carries the plan out. It knows nothing of engines and of others."""

from __future__ import annotations

import hashlib
import time
from dataclasses import asdict, dataclass, field, replace
from typing import TYPE_CHECKING, Any, Literal

from config import display
from config.errors import BackplanError
from config.redaction import hide
from config.settings import Environment
from connectors.base import Action
from sync.fleet.plans import project_of
from sync.fleet.secrets import variables_of
from sync.reports import words
from sync.run import pipeline, reading
from sync.run.homes import homes_of
from sync.run.workspace import today_in
from sync.schedule.model import State

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import date
    from pathlib import Path

    from config.project import Project
    from sync.fleet.accounts import Account
    from sync.reconcile.change import ConnectorPlan
    from sync.run.reading import Reading
    from sync.schedule.model import ScheduledGoal

Status = Literal["synced", "planned", "held", "failed"]
OF_AN_ACCOUNT = 20.0  # seconds that its run may take
_MOST_ERRORS = 3  # of an account; the command `sync` shows all


@dataclass(frozen=True, slots=True)
class Settings:
    """How a fleet runs its accounts.

    - folder: that of the accounts file, where relative paths start
    - write: carry the plans out
    - allow_loss: also those that remove open tasks; otherwise such an account is held
    - allow_mass_change: also those that remove most of an account's tasks
    - budget: seconds that an account may take
    """

    folder: Path
    today: date | None = None
    write: bool = True
    allow_loss: bool = False
    allow_mass_change: bool = False
    allow_commands: bool = False
    budget: float = OF_AN_ACCOUNT


@dataclass(frozen=True, slots=True)
class GoalResult:
    """How a goal stands: its health in words, and what comes next. ticked: the last day on which a step was done."""

    id: str
    title: str
    state: str
    health: str
    deadline: str
    next: str = ""
    due: str = ""
    done: int = 0
    steps: int = 0
    ticked: str = ""


@dataclass(frozen=True, slots=True)
class AccountResult:
    """What a run did in one account.

    - status: held if open tasks would be removed, and the whole fleet has to be looked at first
    - digest: of the account's plan as written; whoever has the same one is done when a run is taken up again
    - changes: how many, by action
    - error: why it failed, in a sentence; exit_code: as of the command `sync`
    - unreachable: its app did not answer
    """

    id: str
    status: Status
    digest: str = ""
    goals: tuple[GoalResult, ...] = ()
    changes: Mapping[str, int] = field(default_factory=dict)
    pending: int = 0
    requests: int = 0
    seconds: float = 0.0
    notes: tuple[str, ...] = ()
    error: str = ""
    exit_code: int = 0
    unreachable: bool = False

    @property
    def document(self) -> dict[str, Any]:
        """The result as JSON."""
        return asdict(self)


def run_account(account: Account, settings: Settings) -> AccountResult:
    """Run one account, and say how it went. An error of the account is in the result; no other account sees it."""
    began = time.monotonic()
    try:
        project = project_of(account, settings.folder)
        variables = variables_of(
            account, project, settings.folder, budget=settings.budget, commands=settings.allow_commands
        )
        environment = Environment.of(settings.folder, variables)
        with environment.secrets.hidden():
            result = _run(account, project, environment, settings)
            result = replace(result, error=hide(result.error), notes=tuple(map(hide, result.notes)))
    except BackplanError as error:
        result = AccountResult(account.id, "failed", error=hide(str(error)), exit_code=error.exit_code)
    except Exception as error:  # one account must never stop the others
        text = f"unexpected {type(error).__name__}: {hide(str(error))}; this is a bug in backplan, please report it"
        result = AccountResult(account.id, "failed", error=text, exit_code=1)
    return replace(result, seconds=round(time.monotonic() - began, 3))


def digest_of(project: Project) -> str:
    """Return a digest of a plan as it is written."""
    return hashlib.sha256(repr(project).encode()).hexdigest()[:16]


def _run(account: Account, project: Project, environment: Environment, settings: Settings) -> AccountResult:
    today = settings.today or today_in(project.timezone)
    display.TODAY.set(today)
    homes = homes_of(project, environment)
    found = reading.read(project, homes, today, allow_mass_change=settings.allow_mass_change)
    plans = pipeline.make_plans(found, allow_mass_change=settings.allow_mass_change)
    status = _status(plans, settings)
    if status == "synced":
        plans = pipeline.apply(plans, found.homes, lambda _: None)
    errors = _errors(found, plans)
    requests = [home.connector.requests for home in homes]
    return AccountResult(
        account.id,
        "failed" if errors else status,
        digest_of(project),
        tuple(map(_goal, found.schedule.goals)),
        _counts(plans),
        sum(change.status in ("planned", "skipped") for plan in plans for change in plan.writes),
        sum(one.read + one.write for one in requests),
        notes=tuple(_notes(found, plans)),
        error="; ".join(errors[:_MOST_ERRORS]),
        exit_code=1 if errors else 0,
        unreachable=bool(found.unread),
    )


def _status(plans: Sequence[ConnectorPlan], settings: Settings) -> Status:
    """Return what becomes of plans that were made."""
    if not settings.write:
        return "planned"
    return "synced" if settings.allow_loss or not losses(plans) else "held"


def _errors(found: Reading, plans: Sequence[ConnectorPlan]) -> list[str]:
    """Return what could not be read or written, in sentences."""
    unread = [f"{label}: {reason}" for label, reason in found.unread.items()]
    memories = [f"{plan.label}: {plan.error}" for plan in plans if plan.error]
    changes = [change for plan in plans for change in plan.changes if change.status == "failed"]
    return [*unread, *memories, *(f"{change.key}: {change.error}" for change in changes)]


def losses(plans: Sequence[ConnectorPlan]) -> int:
    """Return how many open tasks plans remove that nobody but the plan's author wanted removed."""
    return sum(
        change.action is Action.REMOVE and not change.expected and change.before is not None and not change.before.done
        for plan in plans
        for change in plan.writes
    )


def _counts(plans: Sequence[ConnectorPlan]) -> dict[str, int]:
    counts: dict[str, int] = {}
    for plan in plans:
        for change in plan.news:
            counts[change.action.value] = counts.get(change.action.value, 0) + 1
    return counts


def _notes(found: Reading, plans: Sequence[ConnectorPlan]) -> list[str]:
    notices = [f"{view.label}: {notice}" for view in found.views for notice in view.snapshot.notices]
    return [*found.doubts(), *notices, *(f"{plan.label}: {notice}" for plan in plans for notice in plan.notices)]


def _goal(goal: ScheduledGoal) -> GoalResult:
    following = None if goal.state in _OVER else goal.next_step
    ticked = max((step.done for step in goal.steps if step.done), default=None)
    return GoalResult(
        goal.goal.id,
        goal.goal.title,
        goal.state.value,
        words.health(goal),
        goal.deadline.isoformat(),
        following.step.title if following else "",
        _day(following.due if following else None),
        sum(step.done is not None for step in goal.steps),
        sum(not step.dropped for step in goal.steps),
        _day(ticked),
    )


def _day(value: date | None) -> str:
    return value.isoformat() if value else ""


_OVER = (State.DONE, State.GIVEN_UP, State.NO_STEP_LEFT)
