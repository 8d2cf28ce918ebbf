"""Commands about apps: `connectors` and `doctor`."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from config.errors import BackplanError
from config.settings import Environment
from connectors import registry
from connectors.base import Check, SelfChecking
from connectors.model import FIELDS
from sync.cli.options import FAILED, FILE, PLAN, Options, command, known_connectors
from sync.cli.output import print_table

if TYPE_CHECKING:
    from config.settings import Credential
    from connectors.base import Connector


@command(takes=FILE)
def connectors(options: Options) -> None:
    """List the supported apps, and the fields of each."""
    entries: list[dict[str, Any]] = []
    environment = Environment.of_process((options.goals or Path()).parent)
    for name in registry.installed():
        able, credential = registry.load(name).capabilities, registry.credential(name)
        entries.append(
            {
                "name": name,
                "fields": [field for field in FIELDS if field in able.fields],
                "reliability": able.reliability,
                "local": able.local,
                "configured": able.local or (credential is not None and _is_set(environment, credential)),
                "sync": registry.entry(name),
                "variables": list(credential.variables) if credential else [],
            }
        )

    def show() -> None:
        rows: list[tuple[str, str, str]] = []
        for entry in entries:
            needs = ", ".join(entry["variables"])
            rows += (
                (entry["name"], "in `sync:`", entry["sync"]),
                ("", "needs", f"{needs} ({'set' if entry['configured'] else 'not set'})" if needs else "nothing"),
                ("", "holds", ", ".join(entry["fields"])),
                ("", "promise", entry["reliability"]),
            )
        print_table(("", "", ""), rows)

    options.emit(lambda: {"version": 1, "connectors": entries}, show)


def _is_set(environment: Environment, credential: Credential) -> bool:
    """Return whether all variables of an app are set. `doctor` checks whether they are valid."""
    try:
        environment.settings(credential).secret()
    except BackplanError:
        return False
    return True


@command(takes=PLAN | {"connector"}, example="--connector todoist")
def doctor(options: Options) -> int:
    """Try the token of each app that the goals file names.

    Show whether it is valid, its account, and missing permissions.
    """
    homes = options.workspace().homes()
    only = known_connectors(options.connector, homes)
    found = {home.label: _facts(home.connector) for home in homes if not only or home.connector.name in only}

    def show() -> None:
        rows = [(label, "ok" if f.ok else "WRONG", f.what, f.sentence) for label, facts in found.items() for f in facts]
        print_table(("connector", "", "what", ""), rows)

    document = [{"label": label, "facts": [asdict(fact) for fact in facts]} for label, facts in found.items()]
    options.emit(lambda: {"version": 1, "connectors": document}, show)
    return FAILED if any(not fact.ok for facts in found.values() for fact in facts) else 0


def _facts(connector: Connector) -> list[Check]:
    if isinstance(connector, SelfChecking):
        return connector.facts()
    try:
        connector.read()
    except BackplanError as error:
        return [Check("reading", False, str(error))]
    return [Check("reading", True, "can be read")]
