"""A plain table for the terminal. Rows that fit are printed as they are: the layout of rich is slow."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from rich.cells import cell_len
from rich.padding import Padding
from rich.segment import Segment
from rich.table import Table
from rich.text import Text

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rich.console import Console, ConsoleOptions, RenderResult

_BETWEEN = "  "
_SHORT = 16  # cells: a date, which is not folded while there is room for longer columns beside it
_ROOM = 11  # cells that a longer column needs


@dataclass
class Columns:
    """Columns of text. Those in `right` are aligned right; there is no heading if all names are empty."""

    names: tuple[str, ...]
    right: frozenset[str] = frozenset()
    indent: int = 0
    rows: list[tuple[str | Text, ...]] = field(default_factory=list)

    def add_row(self, *cells: str | Text) -> None:
        """Add a row, which may have fewer cells than there are columns."""
        self.rows.append(cells)

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        widths = [cell_len(name) for name in self.names]
        for row in self.rows:
            for number, cell in enumerate(row):
                widths[number] = max(widths[number], cell.cell_len if isinstance(cell, Text) else cell_len(cell))
        several = any("\n" in (cell.plain if isinstance(cell, Text) else cell) for row in self.rows for cell in row)
        if several or self.indent + sum(widths) + len(_BETWEEN) * (len(widths) - 1) > options.max_width:
            yield self._folded(widths, options.max_width)
            return
        if any(self.names):
            yield from self._line(console, tuple(Text(name, style="dim") for name in self.names), widths)
        for row in self.rows:
            yield from self._line(console, row, widths)

    def _line(self, console: Console, cells: tuple[str | Text, ...], widths: list[int]) -> Iterator[Segment]:
        blank = " " * self.indent
        for number, cell in enumerate(cells):
            text = cell if isinstance(cell, Text) else None
            room = " " * (widths[number] - (text.cell_len if text else cell_len(str(cell))))
            if blank or (room and self.names[number] in self.right):
                yield Segment(blank + (room if self.names[number] in self.right else ""))
            if text is None:
                yield Segment(str(cell))
            elif text.spans:
                yield from text.render(console)
            else:
                yield Segment(text.plain, console.get_style(text.style))
            blank = ("" if self.names[number] in self.right else room) + _BETWEEN
        yield Segment.line()

    def _folded(self, widths: list[int], room: int) -> Padding:
        """Return the table for rich, which folds cells that do not fit."""
        padding = (0, len(_BETWEEN), 0, 0)
        table = Table(box=None, pad_edge=False, padding=padding, header_style="dim", show_header=any(self.names))
        least = (
            self.indent - len(_BETWEEN) + sum((width if width <= _SHORT else _ROOM) + len(_BETWEEN) for width in widths)
        )
        for name, width in zip(self.names, widths, strict=True):
            whole = width <= _SHORT and least <= room
            table.add_column(name, justify="right" if name in self.right else "left", overflow="fold", no_wrap=whole)
        for row in self.rows:
            table.add_row(*row)
        return Padding(table, (0, 0, 0, self.indent))
