"""Suggests what a mistyped name may have meant."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable


def did_you_mean(word: str, known: Iterable[str], *, quote: str = "`") -> str:
    """Return "did you mean `name`?" for the known name that is nearest in spelling; empty where none is near."""
    from difflib import get_close_matches  # only mistakes need it

    spellings = {name.lower(): name for name in known}
    near = get_close_matches(word.lower(), spellings, n=1)
    return f"did you mean {quote}{spellings[near[0]]}{quote}?" if near else ""
