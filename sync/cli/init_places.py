"""Finds or makes the place in an app for `init`, for connectors that list the places of an account."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from config.display import clean
from config.errors import BackplanError, InputError
from sync.cli.output import say

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from config.settings import Environment
    from connectors.options import Offer, Offers


def chosen(
    app: str, connector: Offers, environment: Environment, place: str | None, *, ask: bool
) -> Mapping[str, str] | None:
    """Return the options of a place that is named, or that the user picks; None if the account cannot be looked at.

    A place that does not exist is made: if it is named at once, or if the user confirms it. Raises InputError with the
    names of the places if none is named and there is no terminal.
    """
    try:
        offers = connector.offers(environment)
    except BackplanError as error:
        say(f"the lists of the account were not looked up: {error}")
        return None
    if place is not None:
        return _found(offers, place) or _made(connector, environment, place)
    if ask:
        return _picked(app, connector, environment, offers)
    names = ", ".join(f"“{clean(one.name)}” ({one.use})" for one in offers) or "none yet"
    raise InputError(
        f"--connector {app}: not running in a terminal: pass --place with the name of a list, or of one to make; there "
        f"are {names}"
    )


def _picked(app: str, connector: Offers, environment: Environment, offers: Sequence[Offer]) -> Mapping[str, str]:
    """Offer the places by number, until the user has picked one or made another."""
    click.echo("Lists that can be written to:" if offers else "There is no list yet.", err=True)
    for number, one in enumerate(offers, start=1):
        click.echo(f"{number:>3}  {clean(one.name)}, {one.use}", err=True)
    while True:
        answer = click.prompt(f"{app}, which one? Its number, or a name for a new list of tasks", err=True).strip()
        if answer.isdecimal() and 0 < int(answer) <= len(offers):
            return offers[int(answer) - 1].options
        if found := _found(offers, answer):
            return found
        try:
            if click.confirm(f"There is no list “{answer}”. Make it?", default=True, err=True):
                return _made(connector, environment, answer)
        except BackplanError as error:
            click.echo(str(error), err=True)


def _found(offers: Sequence[Offer], name: str) -> Mapping[str, str] | None:
    """Return the options of the place with a name, or with that path; None if there is none.

    Raises InputError if several places have the name.
    """
    named = [one.options for one in offers if name in (one.name, one.options["list"])]
    if len(named) > 1:
        paths = ", ".join(one["list"] for one in named)
        raise InputError(f"several lists have the name “{clean(name)}”; pass one of {paths}")
    return named[0] if named else None


def _made(connector: Offers, environment: Environment, name: str) -> Mapping[str, str]:
    made = connector.make_place(environment, name)
    say(f"made “{clean(made.name)}”, which {made.use}")
    return made.options
