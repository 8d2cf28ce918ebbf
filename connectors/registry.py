"""Finds connectors by name, our own and those of others, by their entry points."""

from __future__ import annotations

import sys
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from config.errors import InputError
from config.project import NO_NAMESPACE
from config.suggest import did_you_mean
from connectors.options import Declares, OptionError

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

    from config.project import Target
    from config.settings import Credential, Environment
    from connectors.base import Connector

GROUP = "backplan.connectors"
EMBEDDED = "markdown"


def installed() -> dict[str, EntryPoint]:
    """Return the entry point of every connector that is installed, by name."""
    return dict(_installed(tuple(sys.path)))


@lru_cache(maxsize=1)
def _installed(path: tuple[str, ...]) -> dict[str, EntryPoint]:
    """Return the entry points on a search path. A fleet asks for each account, and every package is opened for them."""
    from importlib.metadata import entry_points

    del path  # entry_points() reads sys.path
    return {point.name: point for point in sorted(entry_points(group=GROUP), key=lambda point: point.name)}


def load(name: str) -> type[Connector]:
    """Return a connector's class. Raises InputError if no installed connector has the name."""
    if name == EMBEDDED:  # to search all installed packages is slow
        from connectors.markdown.connector import MarkdownConnector

        return MarkdownConnector
    known = installed()
    if name not in known:
        hint = did_you_mean(name, known) or f"there are {', '.join(known)}"
        raise InputError(f"no connector has the name `{name}`; {hint}")
    connector: type[Connector] = known[name].load()
    return connector


def credential(name: str) -> Credential | None:
    """Return the token that a connector declares. Raises InputError as `load` does."""
    found: object = load(name)
    return found.credential if isinstance(found, Declares) else None


def entry(name: str) -> str:
    """Return an example of what names a connector under `sync:`, such as {github: {repo: me/goals}}."""
    found: object = load(name)
    if not isinstance(found, Declares) or not any(field.is_required() for field in found.options.model_fields.values()):
        return name
    return f"{{{name}: {found.options.example}}}"


def option_schemas() -> dict[str, Any]:
    """Return the JSON Schema of the settings of every connector that declares them, by name."""
    classes: list[tuple[str, object]] = [(name, load(name)) for name in installed()]
    declared = {name: found.options.model_json_schema() for name, found in classes if isinstance(found, Declares)}
    nothing = {"type": ["object", "null"]}  # `todoist:` and no more
    return {name: model | ({} if "required" in model else nothing) for name, model in declared.items()}


def create(target: Target | None, namespace: str, environment: Environment) -> Connector:
    """Return the connector for a target of the goals file, the embedded one for None.

    Raises InputError with the place of the target, or of the setting, when its name or its settings are wrong.
    """
    if target is None:
        return load(EMBEDDED).configure({}, namespace, environment)
    try:
        connector = load(target.name)
        if not connector.capabilities.local and namespace == NO_NAMESPACE:
            raise InputError(
                f"{target.name}: give this plan a name of its own in that account: write `namespace: me/goals` (any "
                "words you like, and never change them) at the top of the goals file"
            )
        return connector.configure(target.options, namespace, environment)
    except OptionError as error:
        origin = target.origin
        place = origin.at_key(target.name, error.option) if error.option else origin.at()
        raise InputError(f"{place}: {error}") from None
    except InputError as error:
        raise InputError(f"{target.origin.at()}: {error}") from None
