"""The commands `fleet check`, `fleet run` and `fleet report`: many accounts from one file."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import click

from config.atomic_write import replace_file
from config.errors import BackplanError, GoalsFileError, InputError, Problem
from sync.cli.options import FAILED, PATH, Options, command
from sync.cli.output import print_lines, say
from sync.fleet import accounts, page
from sync.fleet import report as reports
from sync.fleet.local import Engine, Shard, finished, results_in
from sync.fleet.plans import project_of
from sync.fleet.run_account import Settings, digest_of
from sync.run.workspace import today_in

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date
    from pathlib import Path

    from sync.fleet.accounts import Account, Fleet
    from sync.fleet.run_account import AccountResult


class _Shard(click.ParamType[Shard]):
    """`2/8` on the command line."""

    name = "shard"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Shard:
        """Return the part of the fleet."""
        if isinstance(value, Shard):
            return value
        number, _, of = value.partition("/")
        if not (number.isdecimal() and of.isdecimal() and 1 <= int(number) <= int(of)):
            self.fail(f"{value!r} is not a part and how many there are, such as 2/8", param, ctx)
        return Shard(int(number), int(of))


_SHARD = _Shard()
_ACCOUNTS = click.argument("file", metavar="[ACCOUNTS]", type=PATH, required=False)
_DAY = frozenset({"today"})
_EVERY = 1.0  # seconds between two lines of progress


@command(_ACCOUNTS, takes=frozenset(), example="accounts.yaml")
def check(options: Options, file: Path | None) -> int:
    """Check the accounts file, the templates and every plan.

    Nothing is read from an app, and no secret is looked up.
    """
    found = accounts.load(file)
    problems = [*found.problems, *_problems_of_plans(found)]
    if problems:
        raise GoalsFileError(problems)
    options.emit(
        lambda: {"version": 1, "accounts": len(found.accounts), "problems": []},
        lambda: click.echo(f"{len(found.accounts):,} accounts, and a plan for each"),
    )
    return 0


_HOW = (
    click.option("--jobs", type=click.IntRange(1, 256), default=16, show_default=True, help="Accounts at a time."),
    click.option("--report", type=PATH, metavar="FILE", help="Add a line of JSON for each account to this file."),
    click.option("--shard", type=_SHARD, metavar="N/OF", help="Only this part of the accounts, such as 2/8."),
    click.option("--allow-mass-change", is_flag=True, help="Let accounts lose open tasks, however many."),
    click.option("--allow-commands", is_flag=True, help="Let `cmd:` in a secret run its program."),
)


@dataclass(frozen=True, slots=True)
class _How:
    """How a fleet is run: the options of `run`."""

    jobs: int
    report: Path | None
    shard: Shard | None
    allow_mass_change: bool
    allow_commands: bool
    resume: bool = False
    canary: int | None = None

    def settings(self, options: Options, folder: Path, *, write: bool) -> Settings:
        """Return the settings of each account."""
        return Settings(
            folder,
            options.today,
            write=write,
            allow_loss=self.allow_mass_change,
            allow_mass_change=self.allow_mass_change,
            allow_commands=self.allow_commands,
        )


@command(_ACCOUNTS, *_HOW, takes=_DAY, example="accounts.yaml --jobs 4")
def plan(options: Options, file: Path | None, **how: Any) -> int:
    """Read and plan every account, and write nothing."""
    return _run(options, file, _How(**how), write=False)


@command(
    _ACCOUNTS,
    *_HOW,
    click.option("--resume", is_flag=True, help="Leave out what --report says is in sync, unless its plan changed."),
    click.option("--canary", type=click.IntRange(1), help="Run so many first, and stop if one of them fails."),
    takes=_DAY,
    example="accounts.yaml --report run.jsonl",
    writes=True,
)
def run(options: Options, file: Path | None, **how: Any) -> int:
    """Sync every account.

    One that fails does not stop the others.
    """
    return _run(options, file, _How(**how), write=True)


def _run(options: Options, file: Path | None, how: _How, *, write: bool) -> int:
    if how.resume and how.report is None:
        raise click.UsageError("--resume needs --report FILE, the report of the run that was cut short")
    found = accounts.load(file)
    chosen = _chosen(found, how)
    log = _Log(how.report, len(chosen))
    engine = Engine(how.settings(options, found.folder, write=write), how.jobs, log.add)
    try:
        _in_stages(engine, chosen, how.canary)
    finally:
        log.close()
        _show(options, [result.document for result in log.results], found.problems)
    failed = any(result.status == "failed" for result in log.results)
    return FAILED if found.problems or failed else 0


def _chosen(found: Fleet, how: _How) -> list[Account]:
    """Return the accounts that are to be run."""
    chosen = [account for account in found.accounts if how.shard is None or how.shard.holds(account.id)]
    return _unfinished(chosen, found.folder, how.report) if how.resume and how.report else chosen


def _in_stages(engine: Engine, chosen: list[Account], canary: int | None) -> None:
    """Run the accounts: a few first, if that is wanted, and the others only where none of these failed."""
    first = chosen[: canary or 0]
    failed = [result.id for result in engine.run_all(first) if result.status == "failed"]
    if failed:
        say(f"{', '.join(failed[:5])} failed, so the {len(chosen) - len(first):,} other accounts were not tried")
    else:
        engine.run_all(chosen[len(first) :])


@command(
    click.argument("file", metavar="REPORT", type=PATH),
    click.option("--html", type=PATH, help="Write a page for the coach."),
    takes=_DAY,
    example="run.jsonl --html fleet.html",
)
def report(options: Options, file: Path, html: Path | None) -> int:
    """Show the report of a run again, who needs help first."""
    if not file.is_file():
        raise InputError(f"{file}: no such report; `backplan fleet run --report {file}` writes one")
    results = list(results_in(file))
    if html is None:
        _show(options, results, ())
        return 0
    if html.resolve() == file.resolve():
        raise click.UsageError(f"--html {html} is the report itself; name another file, such as fleet.html")
    replace_file(html, page.html(results, _today(options)).encode())
    say(f"wrote {html}")
    options.emit(lambda: reports.as_json(results, _today(options)), lambda: None)
    return 0


fleet = click.Group(
    "fleet",
    commands={"check": check, "plan": plan, "run": run, "report": report},
    short_help="Many accounts from one file: check, plan, run, report.",
    help="Many accounts from one file: a coach's participants, the people of an organisation.",
)


def _problems_of_plans(fleet: Fleet) -> list[Problem]:
    """Return what is wrong in the plans of the accounts, each once."""
    problems: dict[Problem, None] = {}
    progress = _Progress(len(fleet.accounts), "checked")
    for account in fleet.accounts:
        try:
            project_of(account, fleet.folder)
        except GoalsFileError as error:
            problems |= dict.fromkeys(error.problems)
        progress.step()
    return list(problems)


def _unfinished(chosen: Sequence[Account], folder: Path, report: Path) -> list[Account]:
    """Return the accounts that the report does not show in sync with the plan that they have now."""
    known = finished(results_in(report))

    def is_done(account: Account) -> bool:
        try:
            return account.id in known and known[account.id] == digest_of(project_of(account, folder))
        except BackplanError:
            return False

    return [account for account in chosen if not is_done(account)]


class _Progress:
    """Says once a second how far it is."""

    def __init__(self, of: int, what: str) -> None:
        self._of, self._what, self._done, self._failed = of, what, 0, 0
        self._said = time.monotonic()

    def step(self, *, failed: bool = False) -> None:
        """Count one more."""
        self._done += 1
        self._failed += failed
        if time.monotonic() - self._said >= _EVERY and self._done < self._of:
            self._said = time.monotonic()
            failures = f", {self._failed:,} failed" if self._failed else ""
            say(f"{self._done:,} of {self._of:,} accounts {self._what}{failures}")


class _Log:
    """Keeps the results, and writes each to the report as it comes: a run that is cut short is taken up from there."""

    def __init__(self, path: Path | None, of: int) -> None:
        self.results: list[AccountResult] = []
        self._file = path.open("a", encoding="utf-8") if path else None
        self._progress = _Progress(of, "done")

    def add(self, result: AccountResult) -> None:
        """Take in the result of an account."""
        self.results.append(result)
        self._progress.step(failed=result.status == "failed")
        if self._file is not None:
            self._file.write(json.dumps(result.document, ensure_ascii=False) + "\n")
            self._file.flush()

    def close(self) -> None:
        """Close the report."""
        if self._file is not None:
            self._file.close()


def _today(options: Options) -> date:
    return options.today or today_in("UTC")


def _show(options: Options, results: Sequence[dict[str, Any]], problems: Sequence[Problem]) -> None:
    today = _today(options)
    for problem in problems[:20]:
        say(f"error: {problem}")
    if len(problems) > 20:
        say(f"and {len(problems) - 20:,} more; `backplan fleet check --json` lists all")
    options.emit(
        lambda: {**reports.as_json(results, today), "problems": [str(problem) for problem in problems]},
        lambda: print_lines(reports.text(results, today)),
    )
