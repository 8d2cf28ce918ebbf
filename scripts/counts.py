"""Counts lines, branches, parameters and imports of parsed modules, for `scripts/shape.py`. Standard library only."""

from __future__ import annotations

import ast
import io
import tokenize
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Container, Iterator, Mapping
    from pathlib import Path

PACKAGES = ("config", "connectors", "sync")
Function = ast.FunctionDef | ast.AsyncFunctionDef
_LAYOUT = (tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT, tokenize.ENDMARKER)


@dataclass(frozen=True)
class Module:
    """A parsed file. `path` is relative to the root; the `package` of an `__init__` is the one that it makes."""

    name: str
    package: str
    path: str
    text: str
    tree: ast.Module

    @property
    def is_loose(self) -> bool:
        """Whether it lies directly in sync/, in no package there."""
        return self.package == "sync" != self.name


@dataclass(frozen=True)
class Definition:
    """A class or a function. `place`: "sync/plan.py:49 plan". `is_public`: not private, and not local to a function."""

    node: ast.ClassDef | Function
    place: str
    is_public: bool


def modules(root: Path) -> Iterator[Module]:
    """Yield the modules of the packages below a folder. Raises SyntaxError where Python cannot read one."""
    for path in sorted(path for package in PACKAGES for path in (root / package).rglob("*.py")):
        shown = path.relative_to(root).as_posix()
        package = ".".join(path.relative_to(root).parent.parts)
        name = package if path.stem == "__init__" else f"{package}.{path.stem}"
        text = path.read_text("utf-8")
        yield Module(name, package, shown, text, ast.parse(text, shown))


def definitions(module: Module) -> Iterator[Definition]:
    """Yield the classes and functions of a module, also those inside others."""

    def below(parent: ast.AST, prefix: str, local: bool) -> Iterator[Definition]:
        for node in ast.iter_child_nodes(parent):
            if isinstance(node, ast.ClassDef | Function):
                is_public = not local and not node.name.startswith("_")
                yield Definition(node, f"{module.path}:{node.lineno} {prefix}{node.name}", is_public)
                yield from below(node, f"{prefix}{node.name}.", local or isinstance(node, Function))
            else:
                yield from below(node, prefix, local)

    return below(module.tree, "", local=False)


def lines(node: ast.ClassDef | Function) -> int:
    """Return the number of lines of a class or function, docstring included, decorators not."""
    return (node.end_lineno or node.lineno) - node.lineno + 1


def branches(function: Function) -> int:
    """Return the number of branches of a function, without those in asserts and in functions inside."""
    count = 0
    nodes: list[ast.AST] = [*function.body]
    while nodes:
        node = nodes.pop()
        if isinstance(node, Function | ast.Assert):
            continue
        nodes += ast.iter_child_nodes(node)
        match node:
            case ast.BoolOp(values=values):
                count += len(values) - 1
            case ast.comprehension(ifs=ifs):
                count += 1 + len(ifs)
            case ast.match_case(guard=guard):
                count += 1 + (guard is not None)
            case ast.If() | ast.IfExp() | ast.For() | ast.AsyncFor() | ast.While() | ast.ExceptHandler():
                count += 1
    return count


def parameters(function: Function) -> int:
    """Return the number of parameters of a function, `*args` and `**kwargs` included, self and cls not."""
    names = [each.arg for each in ast.iter_child_nodes(function.args) if isinstance(each, ast.arg)]
    return len(names) - (names[:1] in (["self"], ["cls"]))


def code_lines(module: Module) -> int:
    """Return the number of lines of a module that are not a docstring, a comment or blank."""
    holders = [node for node in ast.walk(module.tree) if isinstance(node, ast.Module | ast.ClassDef | Function)]
    docstrings = {
        (node.body[0].lineno, node.body[0].col_offset) for node in holders if ast.get_docstring(node) is not None
    }
    tokens = tokenize.generate_tokens(io.StringIO(module.text).readline)
    code = (token for token in tokens if token.type not in _LAYOUT and token.start not in docstrings)
    return len({line for token in code for line in range(token.start[0], token.end[0] + 1)})


def imports(module: Module, known: Container[str]) -> set[str]:
    """Return which of the modules known it imports: at its top, under TYPE_CHECKING and in functions."""
    found = set()
    for node in ast.walk(module.tree):
        start = ""
        if isinstance(node, ast.ImportFrom):
            above = module.package.split(".")[: 1 - node.level or None] if node.level else []
            start = "".join(f"{part}." for part in (*above, node.module) if part)
        for alias in node.names if isinstance(node, ast.Import | ast.ImportFrom) else ():
            name = start + alias.name
            while name and name not in known:  # `from sync.plan import plan` names a function of a module
                name = name.rpartition(".")[0]
            found.add(name)
    return found - {"", module.name}


def inner_imports(module: Module) -> set[int]:
    """Return the lines of the import statements inside functions."""
    functions = (each.node for each in definitions(module) if isinstance(each.node, Function))
    inside = (node for function in functions for node in ast.walk(function))
    return {node.lineno for node in inside if isinstance(node, ast.Import | ast.ImportFrom)}


def circles(arrows: Mapping[str, set[str]]) -> list[list[str]]:
    """Return the strongly connected components of more than one member, the largest first."""
    reached = {}
    for start in arrows:
        ends, waiting = set[str](), [start]
        while waiting:
            new = arrows[waiting.pop()] - ends
            ends |= new
            waiting += new
        reached[start] = ends
    rings = {frozenset(end for end in ends if start in reached[end]) for start, ends in reached.items()}
    return sorted((sorted(ring) for ring in rings if len(ring) > 1), key=lambda ring: (-len(ring), ring))
