"""Finds the secrets of an account, when its turn comes: the accounts file has references to them alone."""

from __future__ import annotations

import os
import shlex
import subprocess
from importlib import import_module
from typing import TYPE_CHECKING, Any

from config.errors import CredentialsError, InputError
from connectors import registry

if TYPE_CHECKING:
    from pathlib import Path

    from config.project import Project
    from config.settings import Credential
    from sync.fleet.accounts import Account

_SECONDS = 30  # that a command may take
_OF_MACHINE = ("SSL_CERT_FILE",)


def variables_of(account: Account, project: Project, folder: Path, *, budget: float, commands: bool) -> dict[str, str]:
    """Return the variables of an account's run: its secrets, its settings, and the addresses that this process knows.

    budget: seconds that the run may take. commands: `cmd:` is allowed.
    Raises CredentialsError for a secret that is missing, InputError where it is not said whose a secret is.
    """
    wanted = _credentials(project)
    addresses = [one.url_variable for one in wanted]
    shared = {name: os.environ[name] for name in (*addresses, *_OF_MACHINE) if os.environ.get(name)}
    found = {**shared, **account.settings, "BACKPLAN_TIME_BUDGET": f"{budget:g}"}
    for name, reference in account.secrets.items():
        found[name or _only(account, wanted)] = _resolved(account, reference, folder, commands=commands)
    for one in wanted:
        for name in (one.variable, *one.also):
            if not found.get(name):
                raise CredentialsError(
                    f"{account.written.at()}: `{account.id}` has no {one.kind} for {one.service}: write `secret: "
                    f"env:NAME` or `file:PATH`, or `secret: {{{name}: ...}}` (nothing was changed)"
                )
    return found


def _credentials(project: Project) -> list[Credential]:
    """Return what the apps of a project need, each once."""
    targets = [target for goal in project.goals for target in goal.targets or ()] + list(project.retired)
    names = dict.fromkeys(target.name for target in targets)
    return [found for name in names if (found := registry.credential(name))]


def _only(account: Account, wanted: list[Credential]) -> str:
    if len(wanted) != 1:
        raise InputError(
            f"{account.written.at('secret')}: `{account.id}` has one secret for {len(wanted)} apps; name its variable, "
            "such as `secret: {TODOIST_API_TOKEN: env:NAME}`"
        )
    return wanted[0].variable


def _resolved(account: Account, reference: str, folder: Path, *, commands: bool) -> str:
    """Return a secret. The message where there is none names the reference, never what was found."""
    scheme, _, rest = reference.partition(":")
    try:
        value = _FINDERS[scheme](rest, folder) if scheme != "cmd" or commands else _refused()
    except (OSError, UnicodeDecodeError, subprocess.SubprocessError) as error:
        why = (error.strerror or "no such file") if isinstance(error, OSError) else type(error).__name__
        raise CredentialsError(_missing(account, reference, why)) from None
    except ImportError:
        raise CredentialsError(_missing(account, reference, "the package keyring is not installed")) from None
    if not value or not value.strip():
        raise CredentialsError(_missing(account, reference, "there is none"))
    return value.strip()


def _missing(account: Account, reference: str, why: str) -> str:
    return f"{account.written.at('secret')}: the secret {reference} of `{account.id}` was not found: {why}"


def _refused() -> str:
    raise InputError("`cmd:` runs a program; allow it with --allow-commands (nothing was changed)")


def _of_environment(name: str, folder: Path) -> str:
    del folder
    return os.environ.get(name, "")


def _of_file(path: str, folder: Path) -> str:
    return (folder / path).read_text("utf-8")


def _of_keyring(name: str, folder: Path) -> str:
    del folder
    service, _, user = name.partition("/")
    keyring: Any = import_module("keyring")  # only who has secrets there needs it
    return str(keyring.get_password(service, user or service) or "")


def _of_command(line: str, folder: Path) -> str:
    done = subprocess.run(  # noqa: S603
        shlex.split(line, posix=os.name != "nt"),  # the user wrote the line, and allowed it with a flag
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=_SECONDS,
        check=True,
    )
    return done.stdout


_FINDERS = {"env": _of_environment, "file": _of_file, "keyring": _of_keyring, "cmd": _of_command}
