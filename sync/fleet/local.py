"""Runs a fleet on this machine, in threads: the default engine, which needs no further package."""

from __future__ import annotations

import json
import random
from collections import deque
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any
from zlib import crc32

from config.errors import RefusedError
from sync.fleet.run_account import AccountResult, run_account

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from pathlib import Path

    from sync.fleet.accounts import Account
    from sync.fleet.run_account import Settings

_SILENT = 10  # accounts in a row whose app did not answer, after which the rest waits
_FEW = 3  # accounts that may lose tasks, however small the fleet is
MOST_LOSSES = 0.05  # of the accounts


@dataclass(frozen=True, slots=True)
class Shard:
    """One part of a fleet of so many. An account is always in the same one."""

    number: int
    of: int

    def holds(self, account: str) -> bool:
        """Return whether an account, by its id, is in this part."""
        return crc32(account.encode()) % self.of == self.number - 1


@dataclass(slots=True)
class Breaker:
    """Notices that an app does not answer any more, so that not every account has to wait for it."""

    silent: int = 0

    def note(self, result: AccountResult) -> None:
        """Take in how the next account went."""
        self.silent = self.silent + 1 if result.unreachable else 0

    @property
    def is_open(self) -> bool:
        """Whether nobody is tried any more."""
        return self.silent >= _SILENT


@dataclass(slots=True)
class Engine:
    """Runs accounts in threads.

    - report: called with each result as it comes, in this thread
    - run: runs one account
    """

    settings: Settings
    jobs: int
    report: Callable[[AccountResult], None]
    run: Callable[[Account, Settings], AccountResult] = run_account
    breaker: Breaker = field(default_factory=Breaker)

    def run_all(self, accounts: Sequence[Account]) -> list[AccountResult]:
        """Run every account, those last that would lose tasks: all of them, or none if they are too many.

        A broken template that is shared would take tasks from everybody. So an account that would lose open tasks is
        held, until it is known how many there are. Raises RefusedError where they are too many; nothing was removed.
        """
        results = {result.id: result for result in self._each(self._mixed(accounts), self.settings)}
        held = [account for account in accounts if results[account.id].status == "held"]
        most = max(_FEW, int(len(accounts) * MOST_LOSSES))
        if len(held) > most:
            for account in held:
                self.report(results[account.id])
            names = ", ".join(account.id for account in held[:5])
            raise RefusedError(
                f"{len(held)} of {len(accounts)} accounts would lose open tasks ({names}, ...), more than {most}: is a "
                "shared template broken? They were left alone; --allow-mass-change lets them lose them"
            )
        for result in self._each(held, replace(self.settings, allow_loss=True)):
            results[result.id] = result
        return [results[account.id] for account in accounts]

    def _mixed(self, accounts: Sequence[Account]) -> list[Account]:
        """Return the accounts in another order each time, so that those at the end are not always the last."""
        mixed = list(accounts)
        random.shuffle(mixed)
        return mixed

    def _each(self, accounts: Sequence[Account], settings: Settings) -> Iterator[AccountResult]:
        waiting = deque(accounts)
        running: set[Future[AccountResult]] = set()
        with ThreadPoolExecutor(max_workers=self.jobs, thread_name_prefix="account") as pool:
            while waiting or running:
                while waiting and len(running) < self.jobs:
                    account = waiting.popleft()
                    if self.breaker.is_open:
                        yield self._told(_not_tried(account))
                        continue
                    running.add(pool.submit(self.run, account, settings))
                done, running = wait(running, return_when=FIRST_COMPLETED) if running else (set(), running)
                for future in done:
                    result = future.result()
                    self.breaker.note(result)
                    yield self._told(result)

    def _told(self, result: AccountResult) -> AccountResult:
        if result.status != "held":
            self.report(result)
        return result


def _not_tried(account: Account) -> AccountResult:
    return AccountResult(
        account.id,
        "failed",
        error=f"not tried: its app had not answered {_SILENT} accounts in a row; --resume runs the rest later",
        exit_code=1,
        unreachable=True,
    )


def results_in(path: Path) -> Iterator[dict[str, Any]]:
    """Yield the results in a report, the last one of each account. A line that was cut short is left out."""
    found: dict[str, dict[str, Any]] = {}
    for line in path.read_text("utf-8").splitlines() if path.is_file() else ():
        try:
            result = json.loads(line)
            found[result["id"]] = result
        except (ValueError, KeyError, TypeError):
            continue
    yield from found.values()


def finished(results: Iterable[dict[str, Any]]) -> dict[str, str]:
    """Return the digests of the plans that are in sync, by account."""
    return {
        result["id"]: result["digest"] for result in results if result["status"] == "synced" and not result["pending"]
    }
