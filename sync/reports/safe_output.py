"""The last gate on the way to stdout and stderr: no secret passes, and no line that GitHub's runner would obey.

It also meets what becomes of the output: a reader that goes (`| head -1`) ends the run quietly, and a
full disk is an error.
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

READER_GONE = 141  # what a shell calls the end of a process that wrote to nobody: 128 and the number of SIGPIPE


class OutputError(BackplanError):
    """What goes to stdout cannot be written: the disk is full."""


def guard() -> None:
    """Put the gate before stdout and stderr, for all that this process will print: also warnings, logs, tracebacks."""
    sys.stdout, sys.stderr = _guarded(sys.stdout, counts=True), _guarded(sys.stderr, counts=False)


def run(program: Callable[[], int]) -> int:
    """Run a program behind the gate; return its exit code, or that of what became of its output."""
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
        return stream  # there is none, or somebody who calls us has put their own there
    stream.flush()
    # A terminal without our signs shows a question mark.
    bytes_of = cast("BinaryIO", stream.buffer)
    return io.TextIOWrapper(
        _Gate(bytes_of, counts=counts), stream.encoding, errors="replace", line_buffering=stream.line_buffering
    )


class _Gate(io.BufferedIOBase):
    """Bytes, because whoever finds a stream's encoding wrong writes past its text. It has no number either.

    One text that is printed arrives in one piece, so that no secret is halved. What is said on stderr beside the answer
    does not count: where nobody can be told, the run goes on.
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
        """Write or flush. Raises SystemExit where nobody reads any more, OutputError where there is no room."""
        try:
            act()
        except OSError as error:
            _discard(self._stream)
            if not self._counts:
                return
            if isinstance(error, BrokenPipeError):
                raise SystemExit(READER_GONE) from None
            raise OutputError(
                f"the output cannot be written: {error.strerror}. Make room, or send it elsewhere, and run it again"
            ) from None


def _discard(stream: BinaryIO) -> None:
    """Let what is still on its way go nowhere: Python would try once more at the end, and complain."""
    try:
        number = stream.fileno()
    except OSError:  # no file of the system
        return
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, number)
    os.close(nowhere)


def harmless(text: str) -> str:
    """Return `text` without secrets, and with a space in whatever the runner would take for a command."""
    return break_commands(hide(text), " ")
