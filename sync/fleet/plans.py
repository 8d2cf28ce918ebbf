"""The plan of an account: its template with its own values, and its own goals file, which counts more."""

from __future__ import annotations

from copy import copy
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from config import inputs, loader
from config.errors import GoalsFileError, InputError, Problem
from config.inputs import Input
from config.keys import slug
from config.source import Source
from config.suggest import hint
from config.templates import Templates

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from config.project import Project
    from sync.fleet.accounts import Account

_DEADLINE = {"deadline": Input(type="date")}


def project_of(account: Account, folder: Path) -> Project:
    """Return the project of an account. folder: that of the accounts file.

    Raises GoalsFileError with the places of all mistakes, in the accounts file, the template and the goals file.
    """
    sources: list[Source] = []
    if account.template is not None:
        sources.append(_template(account, folder, account.template))
    if account.goals is not None:
        sources.append(_own(account, folder / account.goals))
    if len(sources) > 1:
        own = {_id(goal) for goal in _goals(sources[1])}
        sources[0].value["goals"] = [goal for goal in _goals(sources[0]) if _id(goal) not in own]
    for source in sources:
        _take_defaults(source, account)
    return loader.of_sources(folder, sources)


def _template(account: Account, folder: Path, name: str) -> Source:
    path = folder / name if name.endswith((".yaml", ".yml")) else Templates(folder / "templates").path(name)
    if path is None:
        known = Templates(folder / "templates").names()
        near = hint(name, known) or f"; there are {', '.join(known)}"
        raise GoalsFileError([Problem(account.written.at("template"), f"no template has the name `{name}`{near}")])
    shared, declared = _read(path)
    values, wrong = inputs.given(declared, account.values)
    if wrong:
        raise GoalsFileError([Problem(account.written.at("with" if key else ""), message) for key, message in wrong])
    source = copy(shared)
    source.problems = []
    if declared is _DEADLINE:
        source.value = {**source.value, "goals": [{**goal, **values} for goal in _goals(source)]}
    else:
        inputs.fill(source, {"id": account.id, **values})
    return source


@lru_cache(maxsize=64)
def _read(path: Path) -> tuple[Source, Mapping[str, Input]]:
    """Return a template and its inputs. Raises GoalsFileError for what is wrong in it whoever uses it.

    One that declares none, and holds one goal, has the deadline of that goal as its input.
    """
    source = Source.read(path, str(path))
    declared = inputs.declared(source)
    if source.problems:
        raise GoalsFileError(source.problems)
    goals = _goals(source)
    return source, declared or (_DEADLINE if len(goals) == 1 else {})


def _own(account: Account, path: Path) -> Source:
    try:
        return Source.read(path, str(path))
    except GoalsFileError:
        raise
    except InputError as error:
        raise GoalsFileError([Problem(account.written.at("goals"), str(error))]) from None


def _take_defaults(source: Source, account: Account) -> None:
    """Give a file what the accounts file says where it says nothing itself."""
    said: dict[str, Any] = {"namespace": account.namespace, "timezone": account.timezone, "sync": account.sync}
    source.value = {**{name: value for name, value in said.items() if value is not None}, **source.value}


def _goals(source: Source) -> list[dict[str, Any]]:
    goals = source.value.get("goals")
    return [goal for goal in goals if isinstance(goal, dict)] if isinstance(goals, list) else []


def _id(goal: Mapping[str, Any]) -> str:
    return str(goal.get("id") or slug(str(goal.get("title") or "")))
