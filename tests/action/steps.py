"""The action's command as a step of a workflow runs it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.conftest import Done, Person


class Step:
    """A step of a workflow that runs the action's command in somebody's folder."""

    def __init__(self, person: Person) -> None:
        self.person = person
        self.files = {name: person.folder / name.lower() for name in ("GITHUB_OUTPUT", "GITHUB_STEP_SUMMARY")}

    def run(self, event: str = "push", **env: str) -> Done:
        for path in self.files.values():
            path.unlink(missing_ok=True)
        said = {"GITHUB_ACTIONS": "true", "GITHUB_EVENT_NAME": event, "GITHUB_WORKSPACE": str(self.person.folder)}
        files = {name: str(path) for name, path in self.files.items()}
        env = {"RUNNER_TEMP": str(self.person.folder / "temp"), **env}
        Path(env["RUNNER_TEMP"]).mkdir(exist_ok=True)
        return self.person.run(module="sync.action.main", env={**said, **files, **env})

    @property
    def outputs(self) -> dict[str, str]:
        lines = self.files["GITHUB_OUTPUT"].read_text("utf-8").splitlines()
        return dict(line.split("=", 1) for line in lines)

    @property
    def summary(self) -> str:
        return self.files["GITHUB_STEP_SUMMARY"].read_text("utf-8")
