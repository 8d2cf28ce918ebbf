"""Carries plans out: the only module that sends writes to services.

The order makes every crash harmless:

1. An app stores the memory of the plan, in which the tasks to create are `pending`.
2. Its changes are made.
3. When every app has all of these, the changes are made that wait for them, in three turns.
4. Each app stores the memory as it is now, with the native ids of new tasks, which are not known before. The memory
   acknowledges what the user did, if nothing failed.
5. Where a goal leaves a place, the tasks are detached or removed that alone show that a step is done.

A service that carries out a batch in order gets the first two in one batch. Its very first memory is sent alone, as the
service may answer that there is one already. A service that applies a batch whole or not at all gets everything in one.

The core is a generator without I/O: it yields requests and is sent the answers, so that a test can stop it in between.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from config.errors import BackplanError
from connectors.base import Action, Paced, WriteResult
from sync.run.work import NOTES, Answers, Work

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Mapping, Sequence

    from connectors.base import Capabilities, Connector
    from sync.reconcile.change import ConnectorPlan
    from sync.run.work import Request

# First the tasks are reopened that others are moved below; last those go with which the tasks would go that leave them.
_TURNS = ((Action.REOPEN,), (Action.CREATE, *NOTES), (Action.COMPLETE, Action.REMOVE))


def execute(
    plans: Sequence[ConnectorPlan], capabilities: Mapping[str, Capabilities], *, all_apps: bool = True
) -> Generator[Request, Answers, list[ConnectorPlan]]:
    """Yield the requests that carry out `plans`; return the plans with the status of each change.

    capabilities: of each connector, by its label. all_apps: False where a connector was left out of `plans`, so that
    changes of the user cannot have reached every app. The generator is to be sent the answers to each request, or a
    BackplanError where it could not be tried: that connector is left to the next run, and the others go on.
    """
    works = [Work(plan) for plan in plans]
    for work in works:
        yield from _begin(work, capabilities[work.plan.label], alone=all_apps and len(plans) == 1)
    if all_apps:
        yield from _take_turns(works)
    acknowledge = all_apps and _are_complete(works)
    # A place forgets a goal last, when the place that takes it over has all of it.
    handed_over = acknowledge and not any(work.skips for work in works)
    for work in works:
        yield from work.ask(work.publication(acknowledge=acknowledge, handed_over=handed_over))
    if acknowledge and not any(work.unwritten for work in works):
        for work in works:
            yield from work.ask(work.farewell())
    return [work.result() for work in works]


def _begin(work: Work, able: Capabilities, *, alone: bool) -> Generator[Request, Answers, None]:
    """Ask for the changes that wait for no other app. alone: there is none."""
    if able.atomic:
        yield from work.at_once(acknowledge=alone)
    elif able.ordered and (work.plan.stored or not work.creates):
        yield from work.ask(work.publication() + work.writes(acknowledging=False) + work.pinning(alone=alone))
    else:  # no task is created before the memory has it
        yield from work.ask(work.publication())
        yield from work.ask(work.writes(acknowledging=False))


def _take_turns(works: Sequence[Work]) -> Generator[Request, Answers, None]:
    """Ask for the changes that wait until every app has the others.

    What the user did counts as seen only when it has reached every app; until then the next run sees it again.
    """
    for turn in _TURNS:
        if not _are_complete(works):
            return
        for work in works:
            yield from work.ask(work.unanswered(turn))


def _are_complete(works: Sequence[Work]) -> bool:
    """Return whether everything that was asked for so far has been done."""
    return not any(work.failed or work.stopped for work in works)


def run(
    plans: Sequence[ConnectorPlan],
    connectors: Mapping[str, Connector],
    progress: Callable[[str], None],
    *,
    all_apps: bool = True,
) -> list[ConnectorPlan]:
    """Carry out `plans` on the connectors, by their labels; return the plans with the result of each change.

    progress: called with a sentence on how far a connector has come whose service limits how fast it may be written to.
    """
    capabilities = {label: connector.capabilities for label, connector in connectors.items()}
    execution = execute(plans, capabilities, all_apps=all_apps)
    answers: Answers | None = None
    try:
        while True:
            request = execution.send(answers)  # type: ignore[arg-type]  # the first send of a generator is None
            try:
                answers = _apply(connectors[request.label], request, progress)
            except BackplanError as error:
                answers = error
    except StopIteration as stop:
        results: list[ConnectorPlan] = stop.value
        return results


def _apply(connector: Connector, request: Request, progress: Callable[[str], None]) -> list[WriteResult]:
    """Apply a batch, where the service limits how fast it may be written to in pieces of a quarter of a minute.

    Raises BackplanError when nothing of it could be tried.
    """
    batch = request.batch
    pace = connector.pace() if isinstance(connector, Paced) else None
    piece = max(pace.a_request, pace.a_minute // 4) if pace else len(batch)
    if len(batch) <= piece:
        return connector.apply(batch)
    assert pace is not None  # noqa: S101  # without one, there is one piece
    answers: list[WriteResult] = []
    while len(answers) < len(batch):
        try:
            answers += connector.apply(batch[len(answers) : len(answers) + piece])
        except BackplanError as error:
            if not answers:
                raise
            return answers + [WriteResult(error=str(error))] * (len(batch) - len(answers))
        left = round((len(batch) - len(answers)) / pace.a_minute)
        when = f"about {left} min left" if left else "less than a minute left"
        progress(f"{request.label}: {len(answers)} of {len(batch)} changes, {when}")
    return answers
