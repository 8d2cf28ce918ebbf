"""Holds the shape of the packages (lengths, branches, import circles) to the limits in scripts/shape.toml.

    .venv/bin/python scripts/shape.py --worst 5

prints each measure with its limit and its target, then the five worst places of each. The exit code is 1 when a figure
is worse than its limit, or better where there is a target; a measure without a limit is only shown. Standard library
only.
"""

from __future__ import annotations

import argparse
import ast
import sys
import tomllib
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import counts
import environment
from counts import Function

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from counts import Definition, Module

LIMITS = "scripts/shape.toml"
TARGETS = {"module-lines": 400, "class-lines": 200, "function-lines": 45, "branches": 15, "parameters": 7}
ADVICE = {  # by what the name of a measure contains
    "module-lines": "split the module",
    "class-lines": "turn methods into functions, or into a class of their own",
    "function-lines": "move a part into a function of its own",
    "branches": "move a part into a function of its own, or make a table of the cases",
    "parameters": "make one value of parameters that belong together",
    "documented": "write the missing docstrings",
    "circles": "move what both sides need into a module below both",
    "loose-modules": "move the module into a package of sync/",
    "inner-imports": "import at the top of the module",
    "code-lines": "write it shorter",
}
Place = tuple[int, str]  # a size, and where: (48, "sync/plan.py:49 plan")


@dataclass(frozen=True)
class Measure:
    """A figure, its target if it has one, and its places, worst first. Less is better, except of `documented`."""

    name: str
    today: float
    target: int | None
    places: Sequence[Place]

    def problem(self, limit: float) -> str:
        """Return how the figure differs from its limit and what to do, or an empty string."""
        if self.today == limit:
            return ""
        if (self.today < limit) != self.name.startswith("documented"):
            lower = f"{self.name} is better than its limit: write `{self.name} = {self.today:g}` in {LIMITS}"
            return lower if self.target is not None else ""
        advice = next(advice for part, advice in ADVICE.items() if part in self.name)
        return "\n".join([f"{self.name} is {self.today:g}, its limit is {limit:g}: {advice}", *self.worst(5)])

    def worst(self, count: int) -> list[str]:
        """Return a line for each of the worst places."""
        return [f"{size:>8}  {place}" for size, place in self.places[:count]]


def sizes(name: str, found: Sequence[Place], **ranks: int) -> Iterator[Measure]:
    """Yield the percentiles asked for (by name), the most, and how many are over the target."""
    places = _worst_first(found)
    for rank, percent in ranks.items():
        at = len(places) * (100 - percent) // 100
        yield Measure(f"{name}-{rank}", places[at][0] if places else 0, None, places)
    target = TARGETS[name]
    yield Measure(f"{name}-most", places[0][0] if places else 0, target, places)
    yield Measure(f"{name}-over-{target}", sum(size > target for size, _ in places), 0, places)


def size_measures(modules: Sequence[Module], defined: Sequence[Definition]) -> Iterator[Measure]:
    """Yield the measures of modules, classes and functions."""
    classes = [(counts.lines(each.node), each.place) for each in defined if isinstance(each.node, ast.ClassDef)]
    functions = [(each.node, each.place) for each in defined if isinstance(each.node, Function)]
    yield from sizes("module-lines", [(len(module.text.splitlines()), module.path) for module in modules])
    yield from sizes("class-lines", classes)
    yield from sizes("function-lines", [(counts.lines(node), place) for node, place in functions], median=50, p90=90)
    yield from sizes("branches", [(counts.branches(node), place) for node, place in functions], p90=90)
    yield from sizes("parameters", [(counts.parameters(node), place) for node, place in functions])
    code = _worst_first([(counts.code_lines(module), module.path) for module in modules])
    yield Measure("code-lines", sum(size for size, _ in code), None, code)


def documented(modules: Sequence[Module], defined: Sequence[Definition]) -> Measure:
    """Return the share of public modules, classes, functions and methods (of private classes, too) with a docstring."""
    named = [(module.tree, module.path) for module in modules if not module.name.rpartition(".")[2].startswith("_")]
    public = [*named, *((each.node, each.place) for each in defined if each.is_public)]
    missing = [(1, place) for node, place in public if ast.get_docstring(node) is None]
    per_mille = 1000 * (len(public) - len(missing)) // len(public) if public else 1000  # rounded down: 100 % is all
    return Measure("documented-percent", per_mille / 10, 100, missing)


def import_measures(modules: Sequence[Module]) -> Iterator[Measure]:
    """Yield the measures of circles, loose modules and imports inside functions.

    In circles of packages, a loose module stands for itself; circles of loose modules alone are left out, and so is a
    package with one that is in it: a registry knows what is registered.
    """
    known = {module.name: module for module in modules}
    loose = {name for name, module in known.items() if module.is_loose}
    room = {name: name if name in loose else module.package for name, module in known.items()}
    arrows = {name: counts.imports(module, known) for name, module in known.items()}
    between: defaultdict[str, set[str]] = defaultdict(set)
    for name, ends in arrows.items():
        between[room[name]] |= {room[end] for end in ends if not _is_within(room[end], room[name])}

    rings = counts.circles(arrows)
    shown = [(len(ring), ", ".join(ring)) for ring in rings]
    yield Measure("circles", len(rings), 0, shown)
    yield Measure("modules-in-circles", sum(map(len, rings)), 0, shown)
    rings = [ring for ring in counts.circles(between) if not loose.issuperset(ring)]
    yield Measure("package-circles", len(rings), 0, [(len(ring), ", ".join(ring)) for ring in rings])
    yield Measure("loose-modules", len(loose), 0, [(1, known[name].path) for name in sorted(loose)])
    inner = [(module.path, found) for module in modules if (found := counts.inner_imports(module))]
    places = _worst_first([(len(found), f"{path}:{min(found)}") for path, found in inner])
    yield Measure("inner-imports", sum(size for size, _ in places), None, places)
    yield Measure("modules-with-inner-imports", len(places), None, places)


def _is_within(one: str, other: str) -> bool:
    """Return whether two packages are the same, or one is in the other."""
    return f"{one}.".startswith(f"{other}.") or f"{other}.".startswith(f"{one}.")


def _worst_first(places: Sequence[Place]) -> list[Place]:
    return sorted(places, key=lambda place: (-place[0], place[1]))


def measures(root: Path) -> list[Measure]:
    """Return all measures of the packages below a folder."""
    modules = list(counts.modules(root))
    defined = [each for module in modules for each in counts.definitions(module)]
    return [*size_measures(modules, defined), documented(modules, defined), *import_measures(modules)]


def problems(found: Sequence[Measure], limits: Mapping[str, float]) -> list[str]:
    """Return what to mend: in the packages, or in the limits."""
    unknown = sorted(limits.keys() - {measure.name for measure in found})
    differing = [measure.problem(limits[measure.name]) for measure in found if measure.name in limits]
    return [*(f"{name} in {LIMITS} is no measure: remove it" for name in unknown), *filter(None, differing)]


def main() -> int:
    """Print the table and the problems; return the exit code."""
    parser = argparse.ArgumentParser(description=f"Hold the packages to the limits in {LIMITS}.")
    parser.add_argument("--worst", type=int, default=0, metavar="N", help="list the N worst places of each measure")
    parser.add_argument("--root", type=Path, default=environment.ROOT, help="the folder of the packages")
    given = parser.parse_args()
    found = measures(given.root)
    limits = tomllib.loads((given.root / LIMITS).read_text("utf-8"))
    print(f"{'measure':<28}{'today':>8}{'limit':>8}{'target':>8}")
    for measure in found:
        target = "-" if measure.target is None else measure.target
        print(f"{measure.name:<28}{measure.today:>8g}{limits.get(measure.name, '-'):>8}{target:>8}")
        for line in measure.worst(given.worst):
            print(line)
    wrong = problems(found, limits)
    for problem in wrong:
        print(f"\n{problem}", file=sys.stderr)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
