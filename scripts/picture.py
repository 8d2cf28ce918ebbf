"""Draws the README's picture: what `backplan schedule` prints for the food-handler example, as a terminal shows it."""

from __future__ import annotations

import sys
from datetime import date

import environment

TODAY = date(2027, 7, 20)


def main() -> None:
    """Write docs/schedule.svg."""
    sys.path.insert(0, str(environment.ROOT))
    from rich.console import Console
    from rich.terminal_theme import MONOKAI

    from config.loader import load
    from sync.reports import text
    from sync.schedule.model import Progress
    from sync.schedule.scheduler import schedule

    project = load(environment.ROOT / "config" / "examples" / "food-handler.yaml")
    console = Console(record=True, width=104, force_terminal=True, file=sys.stderr, highlight=False)
    for line in text.schedule(schedule(project, Progress(), TODAY)):
        console.print(line)
    svg = console.export_svg(title="$ backplan schedule", theme=MONOKAI, code_format=_FORMAT)
    (environment.ROOT / "docs" / "schedule.svg").write_text(svg, encoding="utf-8")


# Rich's own format names a font to download; a picture in a README may load nothing.
_FORMAT = """<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" role="img"
 aria-label="The steps of a goal with their dates, planned back from the deadline">
<style>
.{unique_id}-matrix {{ font-family: ui-monospace, Menlo, Consolas, "DejaVu Sans Mono", monospace; font-size: {char_height}px; line-height: {line_height}px; font-variant-east-asian: full-width; }}
.{unique_id}-title {{ font-size: 18px; font-weight: bold; font-family: ui-sans-serif, Arial, sans-serif; }}
{styles}
</style>
<defs>
<clipPath id="{unique_id}-clip-terminal"><rect x="0" y="0" width="{terminal_width}" height="{terminal_height}"/></clipPath>
{lines}
</defs>
{chrome}
<g transform="translate({terminal_x}, {terminal_y})" clip-path="url(#{unique_id}-clip-terminal)">
{backgrounds}
<g class="{unique_id}-matrix">
{matrix}
</g>
</g>
</svg>
"""  # noqa: E501


if __name__ == "__main__":
    main()
