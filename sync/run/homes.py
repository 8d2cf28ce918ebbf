"""The connectors that a goals file names, each with its goals."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from config.keys import HEARTBEAT
from connectors.registry import create

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from config.project import Project, Target
    from config.settings import Environment
    from connectors.base import Connector


@dataclass(frozen=True, slots=True)
class Binding:
    """A connector with the goals that it is to hold; `retired` ones hold none and are cleared.

    `unnamed`: the goals file has stopped naming the place. It gives up the goals that have another one, and no more.
    """

    connector: Connector
    goals: frozenset[str]
    retired: bool = False
    unnamed: bool = False

    @property
    def label(self) -> str:
        """The connector's name for people."""
        return self.connector.label


def homes_of(project: Project, environment: Environment) -> tuple[Binding, ...]:
    """Return the connectors that the project names, each once; without any, the embedded Markdown list.

    Raises InputError for one that is not installed or whose settings are wrong, with its place in the file.
    """
    environment = replace(environment, page=project.page or "", timezone=project.timezone)
    made: dict[str, Connector] = {}
    goals: dict[str, set[str]] = {}
    for target, goal_id in _targets(project):
        connector = create(target, project.namespace, environment)
        made.setdefault(connector.identity, connector)
        goals.setdefault(connector.identity, set()).update([goal_id] if goal_id else [])
    retired = {c.identity: c for target in project.retired if (c := create(target, project.namespace, environment))}
    return (
        *(Binding(connector, frozenset(goals[identity])) for identity, connector in made.items()),
        *(Binding(c, frozenset(), retired=True) for identity, c in retired.items() if identity not in made),
    )


def _targets(project: Project) -> Iterator[tuple[Target | None, str]]:
    """Yield where each goal's tasks go; None is the embedded list, which a project without goals has too."""
    for goal in project.goals:
        yield from ((target, goal.id) for target in (goal.targets if goal.targets is not None else (None,)))
    if not project.goals:
        yield None, ""


def heartbeat_home(homes: Sequence[Binding]) -> Binding | None:
    """Return where the heartbeat lives: in the first app named, in a list in a file only where there is no app."""
    living = [home for home in homes if not (home.retired or home.unnamed)]
    return next((home for home in living if not home.connector.capabilities.local), next(iter(living), None))


def goals_of(home: Binding, homes: Sequence[Binding], project: Project) -> frozenset[str]:
    """Return the ids of the goals in a connector, the heartbeat among them where it lives there."""
    return home.goals | ({HEARTBEAT} if project.heartbeat and home is heartbeat_home(homes) else frozenset())
