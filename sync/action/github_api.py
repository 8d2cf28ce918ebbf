"""GitHub's REST API, as a step of a workflow asks it: at `GITHUB_API_URL`, with a token that the workflow hands on."""

from __future__ import annotations

import json
import os

import httpx

from connectors.http import Clock, Transport


def client(token: str, budget: float) -> httpx.Client:
    """Return a client that asks again until it is answered, for at most `budget` seconds from now."""
    base = os.environ.get("GITHUB_API_URL") or "https://api.github.com"
    headers = {
        "Authorization": f"Bearer {token}",
        "Accept": "application/vnd.github+json",
        "X-GitHub-Api-Version": "2022-11-28",
        "User-Agent": "backplan",
    }
    return httpx.Client(transport=Transport("GitHub", base, budget, Clock()), base_url=base, headers=headers)


def refusal(answer: httpx.Response) -> str:
    """Return what GitHub says with an answer that is no yes."""
    try:
        message = str(answer.json().get("message", ""))[:200]
    except (json.JSONDecodeError, AttributeError):
        message = ""
    return f"GitHub answers {answer.status_code} {message}".rstrip()
