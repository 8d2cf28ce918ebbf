"""Writes JSON Schemas of what Notion accepts, cut to what the connector sends, for the tests' stand-in. Needs npm.

Notion publishes the types of its API in its package `@notionhq/client`, under the MIT licence.
`ts-json-schema-generator` makes JSON Schemas of them, which refuse every name that Notion does not know.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tempfile
from hashlib import sha256
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import environment

PACKAGE, GENERATOR = "@notionhq/client@5.26.0", "ts-json-schema-generator@2.4.0"
TARGET = environment.ROOT / "tests" / "servers" / "notion_schema.json"
# The bodies of requests, by route: the file and name of their type, and the fields that are used.
BODIES = {
    "POST /v1/pages": ("pages", "CreatePageBodyParameters", "parent properties"),
    "PATCH /v1/pages/{page}": ("pages", "UpdatePageBodyParameters", "properties in_trash"),
    "POST /v1/data_sources/{source}/query": (
        "data-sources",
        "QueryDataSourceBodyParameters",
        "filter page_size start_cursor",
    ),
    "PATCH /v1/data_sources/{source}": ("data-sources", "UpdateDataSourceBodyParameters", "properties"),
    "PATCH /v1/blocks/{page}/children": ("blocks", "AppendBlockChildrenBodyParameters", "children"),
}
# The answers on a page and on a table, with all fields.
ANSWERS = {"page": ("common", "PageObjectResponse"), "data_source": ("data-sources", "DataSourceObjectResponse")}
_BLOCK = "paragraph"  # the only kind of block that is sent
_PROSE = ("description", "deprecated")  # unless they are names of fields
_REFERENCE = "#/definitions/"


def main() -> None:
    """Write the schemas beside the stand-in."""
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run(["npm", "install", "--silent", PACKAGE, GENERATOR], cwd=folder, check=True, stdout=sys.stderr)
        definitions: dict[str, Any] = {}
        for file, name, fields in BODIES.values():
            definitions |= cut(_generated(Path(folder), file, name), name, fields.split())
        for file, name in ANSWERS.values():
            definitions |= cut(found := _generated(Path(folder), file, name), name, [*found[name]["properties"]])
    schema = {
        "source": f"{PACKAGE} (MIT licence), cut by scripts/notion_schema.py",
        "bodies": {route: name for route, (_, name, _) in BODIES.items()},
        "answers": {kind: name for kind, (_, name) in ANSWERS.items()},
        "definitions": definitions,
    }
    TARGET.write_text(json.dumps(schema, separators=(",", ":"), sort_keys=True) + "\n", encoding="utf-8")


def _generated(folder: Path, file: str, name: str) -> dict[str, Any]:
    """Return the definitions that a type needs."""
    path = f"node_modules/@notionhq/client/build/src/api-endpoints/{file}.d.ts"
    command = ["npx", "ts-json-schema-generator", "--path", path, "--type", name, "--no-type-check", "--expose", "all"]
    done = subprocess.run(command, cwd=folder, check=True, stdout=subprocess.PIPE)
    found: dict[str, Any] = json.loads(done.stdout)["definitions"]
    return found


def cut(definitions: dict[str, Any], name: str, fields: list[str]) -> dict[str, Any]:
    """Return a type with some of its fields, and what those refer to."""
    whole = definitions[name]
    kept = {field: whole["properties"][field] for field in fields}
    found = {
        name: {**whole, "properties": kept, "required": [one for one in fields if one in whole.get("required", ())]}
    }
    waiting = [name]
    while waiting:
        for one in _references(found[waiting.pop()]):
            if one not in found:
                found[one] = _one_kind(definitions[one])
                waiting.append(one)
    return {_short(one): _bare(value) for one, value in found.items()}


def _one_kind(schema: dict[str, Any]) -> dict[str, Any]:
    """Return the schema of blocks with the one kind that is sent; any other schema as it is."""
    kinds = [one for one in schema.get("anyOf", ()) if _BLOCK in one.get("properties", {})]
    return {"anyOf": kinds} if kinds else schema


def _references(value: Any) -> list[str]:
    found = re.findall(rf'"\$ref": "{_REFERENCE}([^"]+)"', json.dumps(value))
    return [unquote(one) for one in found]


def _bare(value: Any) -> Any:
    """Return a schema without descriptions, and with short names."""
    if isinstance(value, dict):
        return {
            key: f"{_REFERENCE}{_short(unquote(part.removeprefix(_REFERENCE)))}" if key == "$ref" else _bare(part)
            for key, part in value.items()
            if key not in _PROSE or not isinstance(part, str)
        }
    return [_bare(part) for part in value] if isinstance(value, list) else value


def _short(name: str) -> str:
    """Return a name; that of a type without one is a long list of places in a file."""
    return name if name.isidentifier() else f"Unnamed{sha256(name.encode()).hexdigest()[:8]}"


if __name__ == "__main__":
    main()
