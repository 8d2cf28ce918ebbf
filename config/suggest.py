"""Finds the name that a word means, and suggests one for a misspelled word."""

from __future__ import annotations

from typing import TYPE_CHECKING

from config.keys import slug

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping


def meant(word: str, titles: Mapping[str, str]) -> list[str]:
    """Return the ids that a word may mean: the id itself, else those whose id or title is, begins with, or contains it.

    titles: by their ids.
    """
    if word in titles:
        return [word]
    wanted, named = slug(word), {name: (name, slug(title)) for name, title in titles.items()}
    ways: tuple[Callable[[str], bool], ...] = (
        lambda name: name == wanted,
        lambda name: name.startswith(wanted),
        lambda name: f"-{wanted}-" in f"-{name}-",
    )
    found = ([one for one, names in named.items() if any(map(way, names))] for way in ways if wanted)
    return next(filter(None, found), [])


def did_you_mean(word: str, known: Iterable[str], *, quote: str = "`") -> str:
    """Return "did you mean `name`?" for the known name with the nearest spelling; empty if none is near."""
    from difflib import get_close_matches  # only mistakes need it

    spellings = {name.lower(): name for name in known}
    near = get_close_matches(word.lower(), spellings, n=1)
    return f"did you mean {quote}{spellings[near[0]]}{quote}?" if near else ""


def hint(word: str, known: Iterable[str]) -> str:
    """Return "; did you mean `name`?" to end a message with; empty where no known name is near."""
    nearest = did_you_mean(word, known)
    return f"; {nearest}" if nearest else ""
