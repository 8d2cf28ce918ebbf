"""Writes pages as people have them, for a browser to look at: 1, 10 and 100 goals, and one with all that is unkind."""

from __future__ import annotations

import os
import random
import re
import subprocess
import sys
from datetime import date, timedelta
from typing import TYPE_CHECKING

import environment
import yaml

if TYPE_CHECKING:
    from pathlib import Path

SYNCED, TODAY = date(2027, 6, 28), date(2027, 7, 20)
_TITLES = ("Learn to sail", "Run a half marathon", "Renew the passport", "Paint the kitchen", "Write a short story",
           "Plan the reunion", "Pass the B2 exam in French", "Replace the boiler", "Publish the field guide",
           "Build the garden shed and move the tools out of the cellar before the first frost")  # fmt: skip
_STEPS = ("Ask around", "Compare three offers", "Book the first lesson", "Collect the papers", "Write a first draft",
          "Let it rest", "Have somebody read it", "Order the material, and check the measurements once more",
          "Practise twice a week", "Send the application", "Prepare the room", "Tidy up")  # fmt: skip
_UNKIND = ("x" * 500, "<script>alert('&amp;\"')</script></style>", "\u05e9\u05dc\u05d5\u05dd \u05e2\u05d5\u05dc\u05dd",
           "日本語の題名がここにあるのですがとても長くて折り返す場所がありません", "👩‍👩‍👧 🇫🇷 party", "a | b || c",
           "Donaudampfschifffahrtsgesellschaftskapitänswitwenrentenauszahlungsstelle",
           "$x^2$ {{ 7 * 7 }} {% raw %}")  # fmt: skip


def write(folder: Path) -> None:
    """Write a folder for each plan: with its site in `site`, and the page as one file in `one-file.html`."""
    for name, text in (("1", _one()), ("10", _plan(10, 9)), ("100", _plan(100, 20)), ("unkind", _unkind())):
        _make(folder / name, text)


def _one() -> str:
    text = (environment.ROOT / "config" / "examples" / "food-handler.yaml").read_text("utf-8")
    return text.replace("goals:", "calendar: {holidays: US-NY}\ngoals:", 1)


def _plan(goals: int, steps: int) -> str:
    """Return a goals file; every tenth deadline is years away, and some goals have a buffer, waits or days off."""
    dice = random.Random(1)  # noqa: S311  # not for secrets
    made = []
    for number in range(goals):
        days = dice.randint(2500, 7000) if number % 10 == 9 else dice.randint(8, 160)
        made.append(
            {
                "id": f"goal-{number}",
                "title": " ".join(filter(None, [_TITLES[number % 10], str(number // 10 or "")])),
                "why": "Because it has been on the list for long enough." if number % 3 == 0 else "",
                "deadline": TODAY + timedelta(days=days),
                "calendar": "office" if number % 2 else "home",
                **({"buffer": "3 days"} if number % 4 == 1 else {}),
                "steps": [_step(number, n, dice) for n in range(steps)],
            }
        )
    calendars = {"office": {"workdays": ["mon", "tue", "wed", "thu", "fri"], "days_off": ["2027-08-02..2027-08-06"]},
                 "home": {}}  # fmt: skip
    return yaml.safe_dump({"namespace": "pages", "calendars": calendars, "goals": made}, sort_keys=False)


def _step(goal: int, number: int, dice: random.Random) -> dict[str, object]:
    step: dict[str, object] = {"id": f"s{number}", "title": _STEPS[(goal + number) % len(_STEPS)]}
    if dice.random() < 0.7:
        step["takes"] = f"{dice.randint(0, 4)} days"
    if dice.random() < 0.15:
        step["wait"] = "5 calendar days"
    return step


def _unkind() -> str:
    goals: list[dict[str, object]] = [
        {"id": f"g{n}", "title": title, "why": title, "deadline": date(2027, 9, 15) + timedelta(days=900 * n),
         "steps": [{"id": f"s{m}", "title": step, "takes": "2 days"} for m, step in enumerate(_UNKIND)]}
        for n, title in enumerate(_UNKIND)
    ]  # fmt: skip
    goals.append({"id": "bare", "title": "A goal without a step", "deadline": date(2047, 1, 1), "steps": []})
    return yaml.safe_dump({"namespace": "unkind", "goals": goals}, allow_unicode=True, sort_keys=False)


def _make(home: Path, text: str) -> None:
    home.mkdir(parents=True, exist_ok=True)
    (home / "goals.yaml").write_text(text, encoding="utf-8")
    _backplan(home, SYNCED, "sync")
    todo = home / "todo.md"
    todo.write_text(_ticked(todo.read_text("utf-8")), encoding="utf-8")
    _backplan(home, TODAY, "page", "site")
    _backplan(home, TODAY, "schedule", "--html", "one-file.html")


def _ticked(text: str) -> str:
    """Return the list with a tick on two in three of the steps that are past."""
    lines = text.splitlines(keepends=True)
    past = [n for n, line in enumerate(lines) if (due := re.search(r"📅 (\S+)", line)) and due[1] < str(TODAY)]
    for n in past:
        if n % 3 and lines[n].startswith("  "):
            lines[n] = lines[n].replace("[ ]", "[x]", 1)
    return "".join(lines)


def _backplan(home: Path, today: date, *words: str) -> None:
    env = {**os.environ, "PYTHONPATH": str(environment.ROOT), "BACKPLAN_TODAY": str(today)}
    command = [sys.executable, "-P", "-m", "sync.cli.main", *words]
    subprocess.run(command, cwd=home, env=env, check=True, capture_output=True)
