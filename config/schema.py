"""The goals file's JSON Schema, generated from the model; editors complete and check by it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from config.goals import TARGET_SCHEMA, FileModel

if TYPE_CHECKING:
    from collections.abc import Mapping


def schema(connectors: Mapping[str, Any]) -> dict[str, Any]:
    """Return the schema (JSON Schema, draft 2020-12). connectors: the schemas of their settings, by their names."""
    name, settings = TARGET_SCHEMA["anyOf"]
    target = {"anyOf": [name, {**settings, "properties": connectors}]}
    plain = json.dumps(FileModel.model_json_schema(by_alias=True))
    generated = json.loads(plain, object_hook=lambda value: target if value == TARGET_SCHEMA else value)
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **generated,
        "title": "backplan goals file",
    }


def text(connectors: Mapping[str, Any]) -> str:
    """Return the schema as it is published: indented, with a final newline. connectors: as for `schema`."""
    return json.dumps(schema(connectors), indent=2, ensure_ascii=False) + "\n"
