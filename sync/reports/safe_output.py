"""Filters stdout and stderr: secrets are hidden, and lines that GitHub's runner would obey are made harmless.

When a reader ends (`| head -1`), the rest of the output is discarded, and the command ends as it would have. A full
disk is an error.
"""

from __future__ import annotations

import io
import os
import sys
from typing import TYPE_CHECKING, TextIO, cast

from config.display import break_commands
from config.errors import BackplanError
from config.redaction import hide

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import BinaryIO

    from _typeshed import ReadableBuffer


class OutputError(BackplanError):
    """Output to stdout cannot be written: the disk is full."""


def guard() -> None:
    """Filter all output of this process from now on, also warnings, logs and tracebacks."""
    sys.stdout, sys.stderr = _guarded(sys.stdout, counts=True), _guarded(sys.stderr, counts=False)


def run(program: Callable[[], int]) -> int:
    """Run a program with filtered output; return its exit code, or that of an error of the output."""
    guard()
    try:
        code = program()
        if sys.stdout is not None:
            sys.stdout.flush()
    except OutputError as error:
        print(f"error: {error}", file=sys.stderr)
        return error.exit_code
    return code


def _guarded(stream: TextIO, *, counts: bool) -> TextIO:
    if not isinstance(stream, io.TextIOWrapper):
        return stream  # there is none, or the caller has replaced it
    stream.flush()
    # A terminal that lacks a character shows a question mark.
    buffer = cast("BinaryIO", stream.buffer)
    return io.TextIOWrapper(
        _Gate(buffer, counts=counts), stream.encoding, errors="replace", line_buffering=stream.line_buffering
    )


class _Gate(io.BufferedIOBase):
    """A filter of bytes. It has no file number, so that nobody can write past it.

    Each text that is printed arrives in one piece, so that no secret is cut in two. `counts`: an error of the stream
    ends the run. An error of stderr does not.
    """

    def __init__(self, stream: BinaryIO, *, counts: bool) -> None:
        self._stream = stream
        self._counts = counts

    @property
    def name(self) -> str:
        return self._stream.name

    def writable(self) -> bool:
        return True

    def isatty(self) -> bool:
        return self._stream.isatty()

    def write(self, data: ReadableBuffer) -> int:
        written = bytes(data)
        text = harmless(written.decode("utf-8", "surrogateescape")).encode("utf-8", "surrogateescape")
        self._do(lambda: self._stream.write(text))
        return len(written)

    def flush(self) -> None:
        if not self.closed:
            self._do(self._stream.flush)

    def _do(self, act: Callable[[], object]) -> None:
        """Write or flush; output that nothing reads any more is discarded. Raises OutputError if there is no room."""
        try:
            act()
        except OSError as error:
            _discard(self._stream)
            if not self._counts or isinstance(error, BrokenPipeError):
                return
            raise OutputError(
                f"the output cannot be written: {error.strerror}. Make room, or send it elsewhere, and run it again"
            ) from None


def _discard(stream: BinaryIO) -> None:
    """Discard all further output: Python would try to write it at the end, and report the error again."""
    try:
        number = stream.fileno()
    except OSError:  # no file of the system
        return
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, number)
    os.close(nowhere)


def harmless(text: str) -> str:
    """Return `text` without secrets, and with a space in every command for the runner."""
    return break_commands(hide(text), " ")
