"""Finds secrets: a goals file must not contain any, and no message may contain one.

Secrets are texts that look like a token, texts after `Authorization:`, and the values of secret settings: environment
variables whose names end in _TOKEN, _PASSWORD, _SECRET or _KEY, and files named by such a variable with _FILE added.

The secrets of this process are always hidden. A run with its own settings has its own secrets: they are hidden in its
messages (`Secrets.hidden`) until it ends.
"""

from __future__ import annotations

import os
import re
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator, Mapping

# Tokens of GitHub, GitLab, Slack and OpenAI by their beginnings, and Todoist's 40 hexadecimal digits (not in a URL).
_TOKEN = re.compile(
    r"\b(?:gh[pousr]_\w{20,}|github_pat_\w{20,}|(?:xox[abp]|sk|glpat)-[\w-]{20,})|(?<![/\w])[0-9a-f]{40}\b"
)
# A part of each token that is fast to find: most texts contain none.
_BEGINNINGS = (*(f"gh{kind}_" for kind in "pousr"), "github_pat_", *(f"xox{kind}-" for kind in "abp"), "sk-", "glpat-")
_DIGITS = re.compile("[0-9a-f]{40}")
_HEADER = re.compile(r"(?i)(\bauthorization\b\W{1,6}(?:basic|bearer|token)\s+)[^\s'\"]+")
_SECRET_NAME = re.compile(r"(?i).*_(?:TOKEN|PASSWORD|SECRET|KEY)(?P<file>_FILE)?")
_SHORTEST = 8  # a shorter value would hide ordinary words
_LARGEST_FILE = 65_536
HIDDEN = "(hidden)"
_NAMED = {"&": "amp", "<": "lt", ">": "gt", '"': "quot", "'": "apos"}


class Secrets:
    """The texts to hide in the messages of a run: the values of its secret settings, and those added later."""

    def __init__(self, variables: Mapping[str, str]) -> None:
        """`variables` contain the settings of the run."""
        self._variables = variables
        self._learned: list[str] = []
        self._pattern: re.Pattern[str] | None = None
        self._is_read = False

    def keep(self, value: str) -> None:
        """From now on, hide a secret that is in no setting."""
        if value not in self._learned:
            self._learned.append(value)
            self._is_read = False

    def hide(self, text: str) -> str:
        """Return `text` with these secrets replaced."""
        if not self._is_read:
            learned = {f"{number}_TOKEN": value for number, value in enumerate(self._learned)}
            self._pattern, self._is_read = secret_settings({**self._variables, **learned}), True
        return self._pattern.sub(HIDDEN, text) if self._pattern else text

    @contextmanager
    def hidden(self) -> Generator[None]:
        """Hide these secrets in the messages of this thread, and of threads without a run of their own."""
        _runs[id(self)] = self
        before = _run.set(self)
        try:
            yield
        finally:
            _run.reset(before)
            _runs.pop(id(self), None)


OF_PROCESS = Secrets(os.environ)
_runs: dict[int, Secrets] = {}  # of the current runs
_run: ContextVar[Secrets | None] = ContextVar("_run", default=None)


def hide(text: str) -> str:
    """Return `text` with every secret of this process and of its run replaced."""
    run = _run.get()
    for secrets in (OF_PROCESS, *((run,) if run else tuple(_runs.values()))):
        text = secrets.hide(text)
    if _may_have_token(text):
        text = _TOKEN.sub(HIDDEN, text)
    return _HEADER.sub(rf"\1{HIDDEN}", text) if "authorization" in text.lower() else text


def tokens(text: str) -> Iterator[re.Match[str]]:
    """Yield each part of `text` that looks like a token."""
    return _TOKEN.finditer(text) if _may_have_token(text) else iter(())


def _may_have_token(text: str) -> bool:
    return any(beginning in text for beginning in _BEGINNINGS) or _DIGITS.search(text) is not None


def secret_settings(environment: Mapping[str, str]) -> re.Pattern[str] | None:
    """Return a pattern for the values of the secret settings; None if there are none."""
    values = {line.strip() for value in _values(environment) for line in value.splitlines()}
    longest_first = sorted(values, key=lambda value: (-len(value), value))
    patterns = ["".join(map(_any_form, value)) for value in longest_first if len(value) >= _SHORTEST]
    return re.compile("|".join(patterns)) if patterns else None


def _values(environment: Mapping[str, str]) -> Iterator[str]:
    for name, value in environment.items():
        if match := _SECRET_NAME.fullmatch(name):
            yield _content(Path(value)) if match["file"] else value


def tokens_in(environment: Mapping[str, str]) -> dict[str, str]:
    """Return the values of the secret settings by name, without those that name a file."""
    found = ((name, value.strip(), _SECRET_NAME.fullmatch(name)) for name, value in environment.items())
    return {name: value for name, value, match in found if match and value and not match["file"]}


def _content(path: Path) -> str:
    """Return the content of a file; empty if it cannot be read, which the reader of the setting reports."""
    try:
        if path.is_file() and path.stat().st_size <= _LARGEST_FILE:
            return path.read_text("utf-8", errors="replace")
    except (OSError, ValueError):
        pass
    return ""


def _any_form(character: str) -> str:
    """Return a pattern for a character: plain, or escaped as in JSON (also twice), Python, HTML and a URL."""
    if character.isascii() and character.isalnum():
        return character
    if character == " ":
        return r"(?:\s+|\+|%20)"
    code, name = ord(character), _NAMED.get(character, "#")
    written = (
        "".join(rf"\\+u{int.from_bytes(unit):04x}" for unit in _utf16_units(character)),
        rf"\\+x{code:02x}",
        rf"\\+u{code:08x}",
        "".join(f"%{byte:02x}" for byte in character.encode("utf-8", "surrogatepass")),
        f"&(?:#{code}|#x0*{code:x}|{name});",
    )
    return rf"(?:(?i:{'|'.join(written)})|\\*{re.escape(character)})"


def _utf16_units(character: str) -> list[bytes]:
    units = character.encode("utf-16-be", "surrogatepass")
    return [units[first : first + 2] for first in range(0, len(units), 2)]
