"""The goals file's JSON Schema, generated from the model; editors complete and check by it."""

from __future__ import annotations

import json
from typing import Any

from config.goals import FileModel


def schema() -> dict[str, Any]:
    """Return the schema (JSON Schema, draft 2020-12)."""
    generated = FileModel.model_json_schema(by_alias=True)
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **generated,
        "title": "backplan goals file",
    }


def text() -> str:
    """Return the schema as it is published: indented, with a final newline."""
    return json.dumps(schema(), indent=2, ensure_ascii=False) + "\n"
