"""Templates: goals whose steps other goals take. Those that ship are the examples; a person's own are beside theirs."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from config.errors import GoalsFileError, Problem
from config.pull_request import refuse_outside
from config.source import Source
from config.validate import validate

if TYPE_CHECKING:
    from config import goals as shape
    from config.project import Origin

SHIPPED = Path(__file__).parent / "examples"


class Templates:
    """The templates that a project can name: files called after them, with one goal each."""

    def __init__(self, folder: Path) -> None:
        """`folder` holds the person's own templates; it need not exist. Theirs win over those that ship."""
        self._folders = (folder, SHIPPED)

    def names(self) -> list[str]:
        """Return the names of all templates, sorted."""
        return sorted({path.stem for folder in self._folders for path in folder.glob("*.yaml")})

    def path(self, name: str) -> Path | None:
        """Return the file of a template. Raises RefusedError where it is not to be trusted."""
        if name not in self.names():
            return None
        path = next(path for folder in self._folders if (path := folder / f"{name}.yaml").is_file())
        if path.parent != SHIPPED:
            refuse_outside(path)
        return path

    def get(self, name: str) -> tuple[shape.GoalModel, Origin] | None:
        """Return a template's goal and where it was written; None when there is no such template.

        Raises GoalsFileError when the template's own file is wrong.
        """
        path = self.path(name)
        if path is None:
            return None
        source = Source.read(path, str(path) if path.parent != SHIPPED else f"template {name}")
        problems = list(source.problems)
        goals = validate(source, problems).goals
        if not problems and len(goals) != 1:
            problems.append(Problem(source.place(("goals",)), "a template holds exactly one goal"))
        if not problems and goals[0][0].template is not None:
            problems.append(
                Problem(goals[0][1].at("template"), "a template takes no other template; write its steps out")
            )
        if problems:
            raise GoalsFileError(problems)
        return goals[0]
