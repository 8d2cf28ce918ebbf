"""Writes the JSON Schema of what Microsoft To Do accepts and answers, for the tests' stand-in. Needs npm.

Microsoft publishes the types of its API in its package `@microsoft/microsoft-graph-types`, under the MIT licence.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile

import environment
from notion_schema import GENERATOR, cut

PACKAGE = "@microsoft/microsoft-graph-types@2.43.1"
TARGET = environment.ROOT / "tests" / "servers" / "microsoft_todo_schema.json"
_NOT_USED = ("attachmentSessions", "attachments", "extensions", "linkedResources")


def main() -> None:
    """Write the schema beside the stand-in."""
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run(["npm", "install", "--silent", PACKAGE, GENERATOR], cwd=folder, check=True, stdout=sys.stderr)
        path = "node_modules/@microsoft/microsoft-graph-types/microsoft-graph.d.ts"
        options = ("--path", path, "--type", "TodoTask", "--no-type-check", "--expose", "all")
        command = ["npx", "ts-json-schema-generator", *options]
        done = subprocess.run(command, cwd=folder, check=True, stdout=subprocess.PIPE)
    found = json.loads(done.stdout)["definitions"]
    fields = [name for name in found["TodoTask"]["properties"] if name not in _NOT_USED]
    source = f"{PACKAGE} (MIT licence), cut by scripts/microsoft_todo_schema.py"
    schema = {"source": source, "definitions": cut(found, "TodoTask", fields)}
    TARGET.write_text(json.dumps(schema, separators=(",", ":"), sort_keys=True) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
