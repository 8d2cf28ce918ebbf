"""The stand-in for Notion answers as Notion's published types say."""

from __future__ import annotations

from typing import Any

import requests
from jsonschema import Draft202012Validator

from tests.servers.notion import SOURCE, NotionServer, answer
from tests.servers.table import TOKEN

HEADERS = {"Authorization": f"Bearer {TOKEN}", "Notion-Version": "2025-09-03"}
VALUES: dict[str, Any] = {
    "Name": {"title": [{"text": {"content": "Begin"}}]},
    "Notes": {"rich_text": [{"text": {"content": "x" * 1500}}]},
    "Due": {"date": {"start": "2027-08-01", "end": "2027-08-05"}},
    "Done": {"checkbox": True},
    "State": {"status": {"id": "s-3"}},
    "Labels": {"multi_select": [{"name": "home"}]},
    "Priority": {"select": {"name": "High"}},
}


def test_a_page_with_all_values_and_one_without_and_their_table_are_as_published() -> None:
    with NotionServer() as server:
        server.columns |= {name: next(iter(value)) for name, value in VALUES.items()}
        for values in (VALUES, {}):
            body = {"parent": {"data_source_id": SOURCE}, "properties": values}
            made = requests.post(f"{server.url}/v1/pages", json=body, headers=HEADERS, timeout=5).json()
            Draft202012Validator(answer("page")).validate(made)
            assert ("".join(piece["plain_text"] for piece in made["properties"]["Notes"]["rich_text"]) != "") == bool(
                values
            )
        table = requests.get(f"{server.url}/v1/data_sources/{SOURCE}", headers=HEADERS, timeout=5).json()
        Draft202012Validator(answer("data_source")).validate(table)
