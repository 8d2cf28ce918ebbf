"""Templates: goals whose steps other goals take. Those that ship are the examples; a user's own are in `templates/`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from config.errors import GoalsFileError, Problem
from config.parts import lay_over, tree
from config.pull_request import refuse_outside
from config.source import Source
from config.suggest import hint
from config.validate import validate

if TYPE_CHECKING:
    from config import goals as shape
    from config.parts import Part, Report
    from config.project import Origin

SHIPPED = Path(__file__).parent / "examples"

# What a goal takes from its template besides the steps, unless it has the key itself.
_INHERITED = frozenset(
    {
        "title",
        "why",
        "done_when",
        "buffer",
        "at_least",
        "calendar",
        "labels",
        "priority",
        "notes",
        "link",
        "when_late",
        "when_full",
    }
)


class Templates:
    """The templates that a project can name: files called after them, with one goal each."""

    def __init__(self, folder: Path) -> None:
        """`folder` contains the user's own templates; it need not exist. They win over those that ship."""
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

    def apply(self, written: shape.GoalModel, origin: Origin, report: Report) -> tuple[shape.GoalModel, list[Part]]:
        """Return a goal with what it takes from its template, and its parts.

        A goal without a template, or with one that cannot be used, is returned as it was written; `report` gets why.
        """
        own = tree(written, origin)
        if written.template is None:
            return written, own
        try:
            template = self.get(written.template)
        except GoalsFileError as error:
            for problem in error.problems:
                report(problem.place, problem.message)
            return written, own
        if template is None:
            known = self.names()
            nearest = hint(written.template, known) or f"; there are {', '.join(known)}"
            report(origin.at("template"), f"no template has the name `{written.template}`{nearest}")
            return written, own
        base, base_origin = template
        fitting = own if _goes_same_way(written, base, origin, report) else []
        return _filled(written, base), lay_over(tree(base, base_origin), fitting, report)


def _goes_same_way(written: shape.GoalModel, base: shape.GoalModel, origin: Origin, report: Report) -> bool:
    """Return whether a goal lists its steps under the same key as its template, if at all."""
    direction, other = ("backwards", "steps") if base.backwards is not None else ("steps", "backwards")
    if other not in written.model_fields_set:
        return True
    message = f"the template lists its steps under `{direction}`, so `{other}` does not fit; use `{direction}` too"
    report(origin.at_key(other), message)
    return False


def _filled(written: shape.GoalModel, base: shape.GoalModel) -> shape.GoalModel:
    """Return a goal with the values and the lists of its template; what the goal itself has counts more."""
    own = {name: getattr(written, name) for name in written.model_fields_set - {"steps", "backwards"}}
    inherited = {name: getattr(base, name) for name in base.model_fields_set & _INHERITED}
    lists = {"steps": base.steps, "backwards": base.backwards}
    return written.model_copy(update={**inherited, **own, **lists})
