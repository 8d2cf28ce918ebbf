"""The last gate on the way to stdout and stderr: no secret passes, and no line that GitHub's runner would obey."""

from __future__ import annotations

import io
import re
import sys
from typing import TYPE_CHECKING, TextIO

from config.tokens import hide

if TYPE_CHECKING:
    from typing import BinaryIO

    from _typeshed import ReadableBuffer

# The runner obeys `::` at the start of a line, whatever space is before it, and `##[` anywhere.
_COMMAND = re.compile(r"(?:\A|(?<=[\r\n]))(?P<space>[^\S\r\n]*):(?=:)|##(?=\[)")


def guard() -> None:
    """Put the gate before stdout and stderr, for all that this process will print: also warnings, logs, tracebacks."""
    sys.stdout, sys.stderr = _guarded(sys.stdout), _guarded(sys.stderr)


def _guarded(stream: TextIO) -> TextIO:
    if not isinstance(stream, io.TextIOWrapper):
        return stream  # there is none, or somebody who calls us has put their own there
    stream.flush()
    # A terminal without our signs shows a question mark.
    return io.TextIOWrapper(
        _Gate(stream.buffer), stream.encoding, errors="replace", line_buffering=stream.line_buffering
    )


class _Gate(io.BufferedIOBase):
    """Bytes, because whoever finds a stream's encoding wrong writes past its text. It has no number either.

    One text that is printed arrives in one piece, so that no secret is halved.
    """

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream

    @property
    def name(self) -> str:
        return self._stream.name

    def writable(self) -> bool:
        return True

    def isatty(self) -> bool:
        return self._stream.isatty()

    def write(self, data: ReadableBuffer) -> int:
        written = bytes(data)
        self._stream.write(harmless(written.decode("utf-8", "surrogateescape")).encode("utf-8", "surrogateescape"))
        return len(written)

    def flush(self) -> None:
        if not self.closed:
            self._stream.flush()


def harmless(text: str) -> str:
    """Return `text` without secrets, and with a space in whatever the runner would take for a command."""
    return _COMMAND.sub(_broken, hide(text))


def _broken(match: re.Match[str]) -> str:
    return "## " if match["space"] is None else f"{match['space']}: "
