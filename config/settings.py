"""Settings from the environment: tokens, and addresses of services. Imported only for services on the network."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any
from unicodedata import category
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, SecretStr, ValidationError, create_model
from pydantic_settings import BaseSettings, SettingsConfigDict

from config.errors import CredentialsError, InputError
from config.pull_request import on_pull_request
from config.redaction import keep_secret

_BYTE_ORDER_MARK = "\ufeff"  # some editors write it before all else
_QUOTES = "\"'`\u00b4\u2032\u2033\uff02\u201a\u201e"
_LOOPBACK = ("localhost", "127.0.0.1", "::1")


def _safe_address(value: str) -> str:
    parts = urlsplit(value)
    if not (parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in _LOOPBACK)):
        raise ValueError("expected an address that begins with https://, for a token travels there")
    return value.rstrip("/")


Address = Annotated[str, AfterValidator(_safe_address)]


@dataclass(frozen=True, slots=True)
class Credential:
    """A token that a service needs, and the address that it may be sent to.

    service: its name for people. variable: of the environment, which holds the token; with `_FILE` behind it, it names
    a file that does. where: how a person gets one, as a part of a sentence. url_variable: of the environment, which
    says where the service is; url: where it is without. user_variable: of the environment, which names the user whose
    password it is, where it is no token but a password.
    """

    service: str
    variable: str
    where: str
    url_variable: str
    url: str
    user_variable: str = ""

    @property
    def kind(self) -> str:
        """What it is, in a word."""
        return "password" if self.user_variable else "token"


@dataclass(frozen=True, slots=True)
class Settings:
    """What the environment says of one service: where it is, its token, and how many seconds a run may take.

    user: whose password it is; empty where the service takes a token.
    """

    credential: Credential
    url: str
    time_budget: float
    token: SecretStr | None = None
    token_file: Path | None = None
    user: str = ""

    def secret(self) -> SecretStr:
        """Return the service's token. Raises CredentialsError where there is none, or no user whose password it is."""
        wanted = self.credential
        if wanted.user_variable and not self.user:
            raise CredentialsError(
                f"{wanted.service}'s user name is missing: put it into the environment variable "
                f"{wanted.user_variable} (nothing was changed)"
            )
        missing = (
            f"{wanted.service}'s {wanted.kind} is missing: {wanted.where} and put it into the environment variable "
            f"{wanted.variable} (nothing was changed)"
        )
        read = _password if wanted.user_variable else _token
        return read(wanted.variable, self.token, self.token_file, missing)


class _Environment(BaseSettings):
    """Environment variables, or lines of a file `.env`; the environment takes precedence."""

    model_config = SettingsConfigDict(extra="ignore", frozen=True, env_ignore_empty=True)

    backplan_time_budget: float = Field(300, gt=0)


def _token(name: str, token: SecretStr | None, path: Path | None, missing: str) -> SecretStr:
    found = _password(name, token, path, missing)
    if what := _in_no_token(found.get_secret_value()):
        raise _strange(f"{name}_FILE" if token is None else name, what)
    return found


def _password(name: str, password: SecretStr | None, path: Path | None, missing: str) -> SecretStr:
    """Return a secret that may hold any character."""
    if password is None and path is not None:
        password = _from_file(f"{name}_FILE", path)
    known = password.get_secret_value().strip().strip(_BYTE_ORDER_MARK).strip() if password is not None else ""
    if not known:
        raise CredentialsError(missing)
    keep_secret(known)
    return SecretStr(known)


def _strange(name: str, what: str) -> CredentialsError:
    """Return the error for a token with an invalid character; it never contains the token."""
    where = f"the file that {name} names" if name.endswith("_FILE") else name
    return CredentialsError(
        f"the token in {where} holds a character that no token has ({what}); copy it anew (nothing was changed)"
    )


def _in_no_token(token: str) -> str:
    """Return, in words, the first invalid character of a token, and its place; empty if there is none.

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
            what = "a letter other than A to Z" if sign.isalpha() else "a sign that is not ASCII"
        else:
            continue
        return f"{what} {'at the beginning' if at == 0 else 'at the end' if at == last else 'within'}"
    return ""


def _from_file(name: str, path: Path) -> SecretStr:
    try:
        return SecretStr(path.read_text("utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise CredentialsError(f"{name}: {path} cannot be read ({type(error).__name__})") from None


def load(folder: Path, credential: Credential) -> Settings:
    """Return the settings, with those of a `.env` in the current folder, or else in `folder`, that of the goals file.

    Such a file may come with the repository, from anybody. So addresses, to which tokens are sent, are read from the
    environment alone, and on a pull request no `.env` is read. Raises InputError for an invalid value.
    """
    files = () if on_pull_request() else (folder / ".env", Path(".env"))  # a later file goes first
    token, url = credential.variable.lower(), credential.url_variable.lower()
    user = credential.user_variable.lower()
    fields: dict[str, Any] = {
        token: (SecretStr | None, None),
        f"{token}_file": (Path | None, None),
        url: (Address, ...),
    } | ({user: (str, "")} if user else {})
    model = create_model("Environment", __base__=_Environment, **fields)
    try:
        told: dict[str, Any] = {url: os.environ.get(credential.url_variable) or credential.url}
        found = model(_env_file=files, **told)
    except ValidationError as error:
        for e in error.errors(include_input=False):
            if e["loc"][0] == token:  # bytes that are no text at all
                raise _strange(credential.variable, "bytes that are no letters") from None
        # Not pydantic's own words: they repeat the value.
        wrong = "; ".join(f"{str(e['loc'][0]).upper()}: {e['msg']}" for e in error.errors(include_input=False))
        raise InputError(f"a setting in the environment is wrong: {wrong}") from None
    said = found.model_dump()
    return Settings(
        credential, said[url], said["backplan_time_budget"], said[token], said[f"{token}_file"], said.get(user, "")
    )
