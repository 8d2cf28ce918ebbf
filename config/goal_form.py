"""The form for a new goal, as an issue on GitHub: the file that defines it, and how a filled one is read.

What somebody wrote in it is data: `read` returns texts, a date and the name of a template, or a sentence on a mistake.
"""

from __future__ import annotations

import re
import unicodedata
from datetime import date
from typing import TYPE_CHECKING

from config.dates import readings
from config.display import clean, day, shorten
from config.edit import quoted
from config.errors import InputError
from config.fields import MAX_TITLE
from config.keys import slug
from config.new_goal import NewGoal

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

LABEL = "backplan-goal"  # of issues that are a form; no connector may have it as its own
PATH = ".github/ISSUE_TEMPLATE/goal.yml"
MOST_STEPS = 100
_DAY, _STEPS, _TEMPLATE, _WHY = "By which day?", "Steps", "Template", "Why?"
_FIELDS = (_DAY, _STEPS, _TEMPLATE, _WHY)
_EMPTY = "_No response_"  # what GitHub writes for a field that was left empty
_BULLET = re.compile(r"(?:[-*+•]|\d{1,3}[.)])\s+(?:\[[ xX]\]\s+)?")
_CHOICE = re.compile(r".*\(([^()]+)\)", re.DOTALL)
_WORDS = 4  # of the title, in the id
_SHOWN = 60  # columns of a text that a sentence quotes
_TEXT = """\
name: New goal
description: A goal with a day. backplan adds it to your goals, and plans its steps back from that day.
labels: [{label}]
body:
  - type: markdown
    attributes:
      value: "The title above is the goal: what you want to reach."
  - type: input
    attributes:
      label: "{day}"
      description: The day on which the goal has to be reached, as year-month-day.
      placeholder: "2027-08-15"
    validations:
      required: true
  - type: textarea
    attributes:
      label: "{steps}"
      description: One a line, in the order in which they are done. Leave it empty for the steps of a template.
      placeholder: |
        Find a course provider
        Sign up for the course
        Take the test
  - type: dropdown
    attributes:
      label: "{template}"
      description: A plan to start from. Its steps replace those above.
      options:
{options}
  - type: textarea
    attributes:
      label: "{why}"
      description: What the goal is for. It may stay empty.
"""


def text(templates: Mapping[str, str]) -> str:
    """Return the file that defines the form. templates: the titles of their goals by their names."""
    options = "\n".join(f"        - {quoted(f'{clean(title)} ({name})')}" for name, title in templates.items())
    return _TEXT.format(label=LABEL, day=_DAY, steps=_STEPS, template=_TEMPLATE, why=_WHY, options=options)


def goal_id(title: str, number: int) -> str:
    """Return the id of the goal that the issue of this number is for: `food-handler-12`."""
    words = slug(title).split("-")[:_WORDS]
    return "-".join([*filter(None, words), str(number)]) if any(words) else f"goal-{number}"


def read(number: int, title: str, body: str, templates: Collection[str], today: date) -> NewGoal:
    """Return the goal that a filled form describes. Raises InputError with a sentence on each mistake.

    number, title, body: of the issue. templates: the names of those that there are. today: no deadline is before it.
    """
    fields = _fields(body)
    mistakes: list[str] = []
    name = _line(title)
    deadline = _deadline(fields[_DAY], today, mistakes)
    steps = _steps(fields[_STEPS], mistakes)
    template = _template(fields[_TEMPLATE], templates, mistakes)
    if not name or len(name) > MAX_TITLE:
        mistakes.append(f"The issue needs a title of 1 to {MAX_TITLE} characters: it is the goal's.")
    if template and steps:
        mistakes.append("A template brings its own steps: leave the steps empty, or choose no template.")
    if not template and not steps and not mistakes:
        mistakes.append("There are no steps: write what has to be done, one step a line, or choose a template.")
    if mistakes or deadline is None:
        raise InputError("\n".join(mistakes))
    why = "\n".join(filter(None, map(_line, fields[_WHY].splitlines())))
    return NewGoal(goal_id(name, number), name, deadline, tuple(steps), template, why)


def _fields(body: str) -> dict[str, str]:
    """Return the text below each heading of the form. Raises InputError if a heading occurs twice, or none does."""
    fields: dict[str, list[str]] = {}
    lines: list[str] = []
    for line in body.replace("\r\n", "\n").split("\n"):
        heading = line.rstrip().removeprefix("### ")
        if line.startswith("### ") and heading in _FIELDS:
            if heading in fields:
                raise InputError(f"The line `### {heading}` is there twice: keep one of them.")
            lines = fields[heading] = []
        else:
            lines.append(line)
    if _DAY not in fields:
        raise InputError(
            f"The line `### {_DAY}` is missing: write it again, and the day below it; or close this issue and fill in "
            "a new form."
        )
    texts = {name: "\n".join(found).strip() for name, found in fields.items()}
    return {name: "" if texts.get(name) == _EMPTY else texts.get(name, "") for name in _FIELDS}


def _deadline(text: str, today: date, mistakes: list[str]) -> date | None:
    text = _line(text)
    found: date | None = None
    if re.fullmatch(r"\d{4}-\d\d-\d\d", text):
        try:
            found = date.fromisoformat(text)
        except ValueError:
            mistakes.append(f"The calendar has no day `{text}`.")
            return None
    if found is not None and found >= today:
        return found
    if found is not None:
        mistakes.append(f"{day(found)} has passed: write a day in the future.")
    elif not text:
        mistakes.append("The day is missing: write it as year-month-day, such as `2027-08-15`.")
    elif meant := readings(text):
        choice = " or ".join(f"`{one}`" for one in meant)
        mistakes.append(f"Write the day as year-month-day: {choice}{', as you mean it' * (len(meant) > 1)}.")
    else:
        mistakes.append(
            f"“{_quoted(text)}” is no day: write it as year-month-day, such as `2027-08-15`. Words such as tomorrow "
            "are not accepted, because their meaning changes from day to day."
        )
    return None


def _steps(text: str, mistakes: list[str]) -> list[str]:
    steps = [step for line in text.split("\n") if (step := _line(_BULLET.sub("", line.strip(), count=1)))]
    if len(steps) > MOST_STEPS:
        mistakes.append(
            f"There are {len(steps)} steps, and a form takes at most {MOST_STEPS}: put some together, or make several "
            "goals of them."
        )
        return steps
    known: dict[str, str] = {}
    for step in steps:
        if len(step) > MAX_TITLE:
            mistakes.append(f"The step “{_quoted(step)}” has more than {MAX_TITLE} characters: make it shorter.")
        elif not slug(step):
            mistakes.append(f"The step “{_quoted(step)}” has no letters or digits: write what is to be done.")
        elif slug(step) in known:
            first = known[slug(step)]
            mistakes.append(f"The steps “{_quoted(first)}” and “{_quoted(step)}” have the same name: change one.")
        known.setdefault(slug(step), step)
    return steps


def _template(text: str, templates: Collection[str], mistakes: list[str]) -> str:
    text = _line(text)
    if not text or text == "None":
        return ""
    found = _CHOICE.fullmatch(text)
    name = found[1] if found else text
    if name in templates:
        return name
    mistakes.append(f"There is no template “{_quoted(name)}”; there are {', '.join(sorted(templates))}.")
    return ""


def _line(text: str) -> str:
    """Return a text on one line, without control characters and halves of surrogate pairs, which no file can have."""
    fit = "".join(c for c in text if c.isspace() or unicodedata.category(c) not in ("Cc", "Cs"))
    return " ".join(fit.split())


def _quoted(text: str) -> str:
    return shorten(clean(text), _SHOWN)
