"""What a run finds to do, for the connectors that are tried with a fault at every request of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.connectors.contract import World


class Killed(BaseException):
    """The process dies here."""


def scenario_first(world: World) -> None:
    """Nothing is there yet."""


def scenario_deadline(world: World) -> None:
    world.sync()
    world.goal["deadline"] = "2027-10-07"


def scenario_removed(world: World) -> None:
    world.sync()
    world.remove_step("two")


def scenario_done(world: World) -> None:
    world.sync()
    world.service.tick(world.native_id("g/one"))
