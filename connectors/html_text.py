"""Reads a description that an app returns as HTML: its text, line by line."""

from __future__ import annotations

import re
from html.parser import HTMLParser

_LINES = frozenset({"br", "p", "div", "li", "tr", "h1", "h2", "h3", "ul", "ol", "table"})
_NOT_SHOWN = frozenset({"head", "style", "script", "title"})


def text_of(html: str) -> str:
    """Return the text that people see: one line for each paragraph, item or line break."""
    reader = _Reader()
    reader.feed(html)
    reader.close()
    lines = (" ".join(line.split()) for line in "".join(reader.pieces).split("\n"))
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip("\n")


class _Reader(HTMLParser):
    """Collects text and line ends."""

    def __init__(self) -> None:
        super().__init__()
        self.pieces: list[str] = []
        self._hidden = 0

    def handle_starttag(self, tag: str, attrs: object) -> None:  # noqa: ARG002  # the base class gives it
        """Begin a line at a line break or a block."""
        self._hidden += tag in _NOT_SHOWN
        if tag == "br" or (tag in _LINES and self.pieces and not self.pieces[-1].endswith("\n")):
            self.pieces.append("\n")

    def handle_endtag(self, tag: str) -> None:
        """End a line with its block."""
        self._hidden -= tag in _NOT_SHOWN
        if tag in _LINES and tag != "br":
            self.pieces.append("\n")

    def handle_data(self, data: str) -> None:
        """Keep what is shown; line ends in the source are spaces."""
        if self._hidden <= 0:
            self.pieces.append(re.sub(r"\s+", " ", data))
