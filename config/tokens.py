"""Knows what looks like a secret token, so that none is accepted in a goals file and none is ever repeated."""

from __future__ import annotations

import re

# Tokens of GitHub, Slack and OpenAI by their beginnings, and Todoist's 40 hexadecimal digits (not in a web address).
TOKEN = re.compile(
    r"\b(?:gh[pousr]_\w{20,}|github_pat_\w{20,}|xox[abp]-[\w-]{20,}|sk-[\w-]{20,})|(?<![/\w])[0-9a-f]{40}\b"
)


def hide(text: str) -> str:
    """Return `text` with everything that looks like a token replaced."""
    return TOKEN.sub("(hidden)", text)
