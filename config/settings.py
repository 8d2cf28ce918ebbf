"""Settings of a run: tokens, and addresses of services. They are read from the environment, or other variables.

Two runs with environments of their own share nothing: no token, no account, no secret.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any
from unicodedata import category
from weakref import WeakValueDictionary

from pydantic import SecretStr, ValidationError

from config.errors import BackplanError, CredentialsError, InputError
from config.pull_request import on_pull_request
from config.redaction import OF_PROCESS, Secrets, tokens_in

if TYPE_CHECKING:
    from collections.abc import Mapping

_BYTE_ORDER_MARK = "\ufeff"  # some editors write it at the beginning
_QUOTES = "\"'`\u00b4\u2032\u2033\uff02\u201a\u201e"


@dataclass(frozen=True, slots=True)
class Grant:
    """How a service exchanges a lasting token for tokens that are valid for an hour: OAuth 2.

    - tokens: the address that issues tokens
    - sign_in: the address of the page on which the user signs in once; by_device: the one that gives a code for that
    - client: the fields of the form that identify the program, each with the variable that contains its value
    - scope: the permissions of a token
    - sign_in_options: further parameters of the sign-in page
    - days: how long a lasting token is valid from its issue; 0 for no limit. Its last day is written before it
    """

    tokens: str
    sign_in: str
    client: Mapping[str, str]
    scope: str
    sign_in_options: Mapping[str, str] = field(default_factory=dict)
    by_device: bool = False
    days: int = 0


@dataclass(frozen=True, slots=True)
class Credential:
    """A token that a service needs, and the address that it may be sent to.

    - service: its name for users
    - variable: the environment variable with the token; with `_FILE` appended, the one with the path of a file
    - where: how to get a token, as a part of a sentence
    - url_variable, url: the environment variable with the address of the service, and the default
    - kind: a noun; a `password` may contain any character
    - also: further required variables, each with a noun for its value, such as the user's name
    - permissions: those that a workflow on GitHub has to grant, if the token is that of the workflow
    - grant: how the token is exchanged for one that is sent; None if it is sent itself
    """

    service: str
    variable: str
    where: str
    url_variable: str
    url: str
    kind: str = "token"
    also: Mapping[str, str] = field(default_factory=dict)
    permissions: Mapping[str, str] = field(default_factory=dict)
    grant: Grant | None = None

    @property
    def variables(self) -> tuple[str, ...]:
        """The variables that have to be set."""
        return (*([] if self.url else [self.url_variable]), *self.also, self.variable)


@dataclass(frozen=True, slots=True)
class Settings:
    """The settings of one service: its address, its token, and the seconds that a run may take.

    also: the values of the further required variables. certificates: the path of a file with the trusted ones.
    """

    credential: Credential
    url: str
    time_budget: float
    token: SecretStr | None = None
    token_file: Path | None = None
    also: Mapping[str, str] = field(default_factory=dict)
    secrets: Secrets = OF_PROCESS
    certificates: str | None = None

    def refuse_missing_beside(self) -> None:
        """Raise CredentialsError if one of the further required variables is missing."""
        for variable, what in self.credential.also.items():
            if not self.also.get(variable):
                raise CredentialsError(
                    f"{self.credential.service}'s {what} is missing: put it into the environment variable {variable} "
                    "(nothing was changed)"
                )

    def secret(self) -> SecretStr:
        """Return the service's token. Raises CredentialsError if it, or a further required variable, is missing."""
        wanted = self.credential
        self.refuse_missing_beside()
        name, token = wanted.variable, self.token
        if token is None and self.token_file is not None:
            name, token = f"{name}_FILE", _from_file(f"{name}_FILE", self.token_file)
        known = token.get_secret_value().strip().strip(_BYTE_ORDER_MARK).strip() if token is not None else ""
        if not known:
            raise CredentialsError(
                f"{wanted.service}'s {wanted.kind} is missing: {wanted.where} and put it into the environment variable "
                f"{wanted.variable} (nothing was changed)"
            )
        self.secrets.keep(known)
        if wanted.kind != "password" and (what := _in_no_token(known)):
            raise _strange(name, what)
        return SecretStr(known)


@dataclass(frozen=True, eq=False)
class Environment:
    """The source of a run's settings: variables, and a file `.env` in the folder of the goals file.

    secrets: the texts to hide in the messages of this run. accounts: objects that its connectors share, by name. page:
    the address of the plan's page, which the goals file may name; empty for none. timezone: that of the goals file.
    """

    folder: Path
    variables: Mapping[str, str]
    secrets: Secrets
    accounts: WeakValueDictionary[str, Any] = field(default_factory=WeakValueDictionary)
    page: str = ""
    timezone: str = "UTC"

    @classmethod
    def of_process(cls, folder: Path) -> Environment:
        """Return the environment of this process."""
        return cls(folder, os.environ, OF_PROCESS)

    @classmethod
    def of(cls, folder: Path, variables: Mapping[str, str]) -> Environment:
        """Return an environment apart from others in this process."""
        return cls(folder, variables, Secrets(variables))

    def settings(self, credential: Credential) -> Settings:
        """Return the settings of a service. Raises InputError for an invalid value.

        Anybody may add a file `.env` to a repository. So addresses, to which tokens are sent, are read from the
        variables alone, and on a pull request no `.env` is read.
        """
        from config.variables import read  # slow to import

        token = credential.variable
        names = {
            "token": token,
            "token_file": f"{token}_FILE",
            "time_budget": "BACKPLAN_TIME_BUDGET",
            "url": credential.url_variable,
        }
        wanted = (*names.values(), *credential.also)
        own: dict[str, Any] = {name: value for name in wanted if (value := self.variables.get(name))}
        if token in own or f"{token}_FILE" in own:  # it hides both in the files
            own = dict.fromkeys((token, f"{token}_FILE")) | own
        files = () if on_pull_request() else (self.folder / ".env", Path(".env"))  # a later file takes precedence
        try:
            found, also = read(
                names, credential.also, own | {credential.url_variable: self._address(credential)}, files
            )
        except ValidationError as error:
            raise _invalid(token, error) from None
        for secret in tokens_in(also).values():
            self.secrets.keep(secret)
        return Settings(
            credential,
            found.url,
            found.time_budget,
            found.token,
            found.token_file,
            also,
            self.secrets,
            self.variables.get("SSL_CERT_FILE"),
        )

    def _address(self, credential: Credential) -> str:
        """Return the address of a service. Raises InputError if it is missing."""
        url = self.variables.get(credential.url_variable) or credential.url
        if not url:
            raise InputError(
                f"{credential.service}'s address is missing: put it into the environment variable "
                f"{credential.url_variable}, beginning with https:// (nothing was changed)"
            )
        return url


def _invalid(token: str, error: ValidationError) -> BackplanError:
    """Return the error for invalid variables, without pydantic's text, which repeats the value."""
    errors = error.errors(include_input=False)
    if any(e["loc"][0] == token for e in errors):
        return _strange(token, "bytes that are not text")
    wrong = "; ".join(f"{e['loc'][0]}: {e['msg']}" for e in errors)
    return InputError(f"invalid environment variable: {wrong}")


def _strange(name: str, what: str) -> CredentialsError:
    """Return the error for a token with an invalid character; it never contains the token."""
    where = f"the file that {name} names" if name.endswith("_FILE") else name
    return CredentialsError(
        f"the token in {where} contains an invalid character ({what}); copy it again (nothing was changed)"
    )


def _in_no_token(token: str) -> str:
    """Return the first invalid character of a token, in words, and its position; empty if there is none.

    HTTP headers are ASCII without blanks; quotation marks were added around the token by mistake.
    """
    last = len(token) - 1
    for at, sign in enumerate(token):
        if sign in _QUOTES or category(sign) in ("Pi", "Pf"):
            what = "a quotation mark"
        elif sign in "\r\n":
            what = "a line end"
        elif sign.isspace():
            what = "a blank"
        elif not (sign.isascii() and sign.isprintable()):
            what = "a letter that is not ASCII" if sign.isalpha() else "a sign that is not ASCII"
        else:
            continue
        return f"{what} {'at the beginning' if at == 0 else 'at the end' if at == last else 'within'}"
    return ""


def _from_file(name: str, path: Path) -> SecretStr:
    try:
        return SecretStr(path.read_text("utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise CredentialsError(f"{name}: {path} cannot be read ({type(error).__name__})") from None
