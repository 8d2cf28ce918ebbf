"""The project that the lives in memory are about, and the service in memory as the contract sees it."""

from __future__ import annotations

import tempfile
from datetime import date, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from tests.connectors import contract
from tests.connectors.contract import NAMESPACE, load
from tests.histories.connector import SimulatedConnector, connect
from tests.histories.service import Service

if TYPE_CHECKING:
    from collections.abc import Sequence

    from config.project import Project

TODAY = date(2027, 1, 4)


class InMemory(Service):
    """The service of the histories with what the contract asks for, so that it is proved to behave like one."""

    clock = 0

    @property
    def garbles(self) -> frozenset[str]:
        """What cannot be read: one that ticks whole families tells dates and states apart from words."""
        return frozenset() if self.kind.families else frozenset({"date", "state"})

    @property
    def cancels(self) -> bool:
        """Whether a task can be closed as not planned."""
        return not self.kind.families

    def tick(self, native_id: str, day: date | None = None) -> None:
        self._mend(native_id)
        super().tick(native_id, day or contract.TODAY + timedelta(self.clock))

    def reopen(self, native_id: str) -> None:
        self._mend(native_id)
        super().reopen(native_id)

    def cancel(self, native_id: str) -> None:
        self._mend(native_id)
        super().cancel(native_id)

    def set_due(self, native_id: str, day: date | None) -> None:
        self._mend(native_id)
        super().set_due(native_id, day)

    def complaint(self, native_id: str, what: str) -> Sequence[str]:
        return f"{native_id}:", what, "cannot be read; write"

    def _mend(self, native_id: str) -> None:
        self.garble(native_id, "")

    def connector(self, namespace: str = NAMESPACE, name: str = "memory") -> SimulatedConnector:
        return connect(self, namespace, name)

    def text(self) -> str:
        return "\n".join(f"{held.content} {held.comments}" for held in self.tasks.values())


def a_project(steps: int = 3, every: str | None = None) -> Project:
    """Return a project of one goal, far enough away that a life does not reach it.

    every: how often its second step repeats.
    """
    said = [{"id": f"s{number}", "title": f"Step {number}", "takes": "2 days"} for number in range(steps)]
    if every is not None:
        said[1]["every"] = every
    with tempfile.TemporaryDirectory() as folder:
        goal = {"id": "g", "title": "Reach it", "deadline": "2027-09-30", "steps": said}
        return load(Path(folder), goal)
