"""The shape of the packages: each measure counts what it should, and the limits in scripts/shape.toml hold."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from tests.conftest import ROOT

if TYPE_CHECKING:
    from pathlib import Path

MODULES = {
    "config/__init__.py": '"""What is written."""\n',
    "config/dates.py": '''"""Dates."""

# A comment, and a blank line above it.
TEXT = """first
# no comment

last"""


def day(one, two):
    """Return a day.

    With a second paragraph.
    """
    import calendar

    return calendar
''',
    "sync/__init__.py": '"""What happens."""\n',
    "sync/plan.py": '''"""Plans."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sync.reports import text


class _Plan:
    def method(self, one, /, two, *rest, three=3, **more):
        pass

    def _own(self):
        pass


def busy(items, flag):
    """Have 16 branches, and 2 more in a function inside."""
    assert items and flag
    if items and flag and len(items) or not flag:
        pass
    elif flag:
        pass
    for item in items:
        while item:
            item = None
    try:
        found = [a for a in items if a if not flag for b in a]
    except ValueError:
        found = 1 if flag else 2
    match found:
        case 1 if flag:
            pass
        case _:
            pass

    def inside():
        return found if flag or items else None

    return inside
''',
    "sync/reports/__init__.py": "",
    "sync/reports/text.py": '''"""Texts."""


def show():
    """Show it."""
    from ..plan import busy

    return busy
''',
}


def shape(root: Path, limits: str = "", *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the script on the made-up packages, with limits in scripts/shape.toml."""
    for path, text in {**MODULES, "scripts/shape.toml": limits}.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text, "utf-8")
    command = [sys.executable, str(ROOT / "scripts" / "shape.py"), "--root", str(root), *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False)


@pytest.fixture(scope="module")
def figures(tmp_path_factory: pytest.TempPathFactory) -> dict[str, float]:
    """Return each measure's figure in the made-up packages."""
    done = shape(tmp_path_factory.mktemp("shape"))
    assert done.returncode == 0, done.stderr
    return {line.split()[0]: float(line.split()[1]) for line in done.stdout.splitlines()[1:]}


@pytest.mark.parametrize(
    ("measure", "figure"),
    [
        ("module-lines-most", 40),
        ("module-lines-over-400", 0),
        ("class-lines-most", 6),
        ("function-lines-median", 2),  # of 2, 2, 2, 5, 8, 24
        ("function-lines-p90", 24),
        ("function-lines-most", 24),
        ("branches-most", 16),
        ("branches-over-15", 1),
        ("parameters-most", 5),  # with * and **, without self
        ("code-lines", 39),  # the lines of TEXT are code, all four
        ("documented-percent", 80.0),  # neither sync.reports nor _Plan.method has a docstring
        ("circles", 1),  # one half of it for types only, the other in a function, relative
        ("modules-in-circles", 2),
        ("package-circles", 1),
        ("loose-modules", 1),
        ("inner-imports", 2),
        ("modules-with-inner-imports", 2),
    ],
)
def test_a_measure_counts_what_its_name_says(figures: dict[str, float], measure: str, figure: float) -> None:
    assert figures[measure] == figure


def test_a_figure_over_its_limit_fails_with_its_places_and_what_to_do(tmp_path: Path) -> None:
    done = shape(tmp_path, "loose-modules = 0\ncircles = 0\ndocumented-percent = 100\n")
    assert done.returncode == 1
    assert "loose-modules is 1, its limit is 0: move the module into a package of sync/" in done.stderr
    assert "sync/plan.py" in done.stderr
    assert "sync.plan, sync.reports.text" in done.stderr
    assert "documented-percent is 80, its limit is 100: write the missing docstrings" in done.stderr
    assert "sync/plan.py:10 _Plan.method" in done.stderr


def test_a_figure_better_than_its_limit_fails_until_the_limit_is_lowered(tmp_path: Path) -> None:
    done = shape(tmp_path, "loose-modules = 2\ndocumented-percent = 70.5\n")
    assert done.returncode == 1
    assert "write `loose-modules = 1` in scripts/shape.toml" in done.stderr
    assert "write `documented-percent = 80` in scripts/shape.toml" in done.stderr
    assert shape(tmp_path, "loose-modules = 1\ndocumented-percent = 80\n").returncode == 0


def test_a_limit_without_a_measure_is_refused(tmp_path: Path) -> None:
    done = shape(tmp_path, "loose-module = 1\n")
    assert done.returncode == 1
    assert "loose-module in scripts/shape.toml is no measure" in done.stderr


def test_the_worst_places_are_listed_with_file_and_line(tmp_path: Path) -> None:
    out = shape(tmp_path, "", "--worst", "1").stdout
    assert "sync/plan.py:17 busy" in out
    assert "sync/plan.py:10 _Plan.method" in out
    assert "sync/plan.py:13 _Plan._own" not in out
