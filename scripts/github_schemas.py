"""Trims GitHub's published schemas to what the connector uses, for the tests to hold its stand-in against. Needs npm.

Both come as packages of GitHub's Octokit project, under the MIT licence: `@octokit/openapi` holds the OpenAPI
description of the REST API, `@octokit/graphql-schema` the GraphQL schema.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tarfile
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import environment
from graphql import parse, print_ast
from graphql.language.ast import NamedTypeNode

if TYPE_CHECKING:
    from collections.abc import Iterator

SERVERS = environment.ROOT / "tests" / "servers"
OPENAPI = ("@octokit/openapi@23.0.2", "generated/api.github.com.json")
GRAPHQL = ("@octokit/graphql-schema@15.26.1", "schema.graphql")
REPO = "/repos/{owner}/{repo}"
# The operations whose answers the stand-in gives, each with the status that tells it went well.
OPERATIONS = (
    (f"{REPO}/issues", "get", "200"),
    (f"{REPO}/issues", "post", "201"),
    (f"{REPO}/issues/{{issue_number}}", "get", "200"),
    (f"{REPO}/issues/{{issue_number}}", "patch", "200"),
    (f"{REPO}/issues/{{issue_number}}/comments", "get", "200"),
    (f"{REPO}/issues/{{issue_number}}/comments", "post", "201"),
    (f"{REPO}/issues/{{issue_number}}/sub_issues", "get", "200"),
    (f"{REPO}/issues/{{issue_number}}/sub_issues", "post", "201"),
    (f"{REPO}/issues/{{issue_number}}/dependencies/blocked_by", "get", "200"),
    (f"{REPO}/issues/{{issue_number}}/dependencies/blocked_by", "post", "201"),
    (f"{REPO}/assignees", "get", "200"),
    (f"{REPO}/contents/{{path}}", "get", "200"),
    (f"{REPO}/labels", "get", "200"),
    (f"{REPO}/labels", "post", "201"),
    (f"{REPO}/labels/{{name}}", "get", "200"),
    (f"{REPO}/collaborators/{{username}}/permission", "get", "200"),
    (f"{REPO}/milestones", "get", "200"),
    (f"{REPO}/milestones", "post", "201"),
    (f"{REPO}/milestones/{{milestone_number}}", "patch", "200"),
    ("/rate_limit", "get", "200"),
    ("/user", "get", "200"),
)
# Words for people: nothing in the tests reads them, and they are most of the text.
_PROSE = {"description", "example", "examples", "externalDocs", "x-github", "title", "x-multi-segment"}
# Types of the GraphQL schema, with those of their fields that are used.
TYPES = {
    "Query": "id viewer repository rateLimit node nodes organization user",
    "User": "id login projectV2 name",
    "Bot": "id login",
    "Organization": "id login projectV2",
    "Repository": "id name nameWithOwner isArchived hasIssuesEnabled viewerPermission labels owner issue milestone "
    "assignableUsers",
    "RateLimit": "cost limit remaining resetAt used",
    "Issue": "id number title body state stateReason url labels assignees milestone parent subIssues projectItems "
    "repository closed fullDatabaseId timelineItems",
    "IssueTimelineItemsConnection": "nodes totalCount pageInfo",
    "ClosedEvent": "id actor stateReason",
    "IssueConnection": "nodes totalCount pageInfo",
    "Label": "id name",
    "LabelConnection": "nodes totalCount pageInfo",
    "UserConnection": "nodes totalCount pageInfo",
    "Milestone": "id number title",
    "PageInfo": "endCursor hasNextPage hasPreviousPage startCursor",
    "ProjectV2": "id number title field",
    "ProjectV2Field": "id name dataType",
    "ProjectV2Item": "id project fieldValueByName",
    "ProjectV2ItemConnection": "nodes totalCount pageInfo",
    "ProjectV2ItemFieldDateValue": "id date",
    "Node": "id",
    "Actor": "login",
    "RepositoryOwner": "id login",
    "Mutation": "createIssue updateIssue closeIssue reopenIssue addSubIssue removeSubIssue reprioritizeSubIssue "
    "addProjectV2ItemById updateProjectV2ItemFieldValue clearProjectV2ItemFieldValue",
    "CreateIssuePayload": "issue clientMutationId",
    "UpdateIssuePayload": "issue clientMutationId",
    "CloseIssuePayload": "issue clientMutationId",
    "ReopenIssuePayload": "issue clientMutationId",
    "AddSubIssuePayload": "issue subIssue clientMutationId",
    "RemoveSubIssuePayload": "issue subIssue clientMutationId",
    "ReprioritizeSubIssuePayload": "issue clientMutationId",
    "AddProjectV2ItemByIdPayload": "item clientMutationId",
    "UpdateProjectV2ItemFieldValuePayload": "projectV2Item clientMutationId",
    "ClearProjectV2ItemFieldValuePayload": "projectV2Item clientMutationId",
}
UNIONS = {"IssueTimelineItems", "ProjectV2FieldConfiguration", "ProjectV2ItemFieldValue"}


def main() -> None:
    """Write both trimmed schemas beside the stand-in."""
    openapi = json.loads(_file_of(*OPENAPI))
    text = json.dumps(trimmed_openapi(openapi), separators=(",", ":"), sort_keys=True)
    (SERVERS / "github_openapi.json").write_text(text + "\n", encoding="utf-8")
    note = f"# Trimmed from GitHub's {GRAPHQL[0]} (MIT licence) by scripts/github_schemas.py\n\n"
    (SERVERS / "github_schema.graphql").write_text(note + trimmed_graphql(_file_of(*GRAPHQL)), encoding="utf-8")


def _file_of(package: str, name: str) -> str:
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run(["npm", "pack", "--silent", package], cwd=folder, check=True, stdout=sys.stderr)
        (archive,) = Path(folder).glob("*.tgz")
        with tarfile.open(archive) as tar:
            member = tar.extractfile(f"package/{name}")
            assert member is not None  # noqa: S101
            return member.read().decode()


# OpenAPI


def trimmed_openapi(description: dict[str, Any]) -> dict[str, Any]:
    """Return the schema of each answer by `METHOD path`, and the parts that those refer to."""
    answers = {}
    for path, method, status in OPERATIONS:
        content = description["paths"][path][method]["responses"][status]["content"]
        answers[f"{method.upper()} {path}"] = _bare(content["application/json"]["schema"])
    schemas = description["components"]["schemas"]
    found: dict[str, Any] = {}
    waiting = list(_references(answers))
    while waiting:
        name = waiting.pop()
        if name not in found:
            found[name] = _bare(schemas[name])
            waiting += _references(found[name])
    return {"source": f"{OPENAPI[0]} (MIT licence)", "answers": answers, "components": {"schemas": found}}


def _bare(value: Any, *, names: bool = False) -> Any:
    """Return a schema without its prose; `names`: the keys are names of properties, which may be called anything."""
    if isinstance(value, dict):
        kept = {key: part for key, part in value.items() if names or key not in _PROSE}
        return {key: _bare(part, names=not names and key == "properties") for key, part in kept.items()}
    return [_bare(part) for part in value] if isinstance(value, list) else value


def _references(value: Any) -> Iterator[str]:
    yield from re.findall(r'"#/components/schemas/([^"]+)"', json.dumps(value))


# GraphQL


def trimmed_graphql(text: str) -> str:
    """Return the types that are used with the fields that are used, and all that their arguments need."""
    definitions: dict[str, Any] = {d.name.value: d for d in parse(text).definitions if hasattr(d, "name")}
    kept = {name: _with_fields(definitions[name], set(fields.split())) for name, fields in TYPES.items()}
    for name in UNIONS:
        members = tuple(member for member in definitions[name].types if member.name.value in TYPES)
        kept[name] = replace(definitions[name], types=members)
    waiting = [name for node in kept.values() for name in _inputs(node)]
    while waiting:
        name = waiting.pop()
        if name in definitions and name not in kept:
            kept[name] = definitions[name]
            waiting += _inputs(definitions[name])
    return "\n\n".join(print_ast(_without_prose(kept[name])) for name in sorted(kept)) + "\n"


def _with_fields(node: Any, fields: set[str]) -> Any:
    there = {field.name.value for field in node.fields}
    if fields - there:
        sys.exit(f"{node.name.value} has no {fields - there}")
    interfaces = tuple(i for i in getattr(node, "interfaces", None) or () if i.name.value in TYPES)
    return replace(node, fields=tuple(f for f in node.fields if f.name.value in fields), interfaces=interfaces)


def _inputs(node: Any) -> list[str]:
    """Return the names of types that are not given in `TYPES`: scalars, enumerations, and what arguments take."""
    fields = getattr(node, "fields", None) or ()
    arguments = [argument for field in fields for argument in getattr(field, "arguments", None) or ()]
    return [name for part in (*fields, *arguments) if (name := _name(part.type)) not in TYPES]


def _name(node: Any) -> str:
    while not isinstance(node, NamedTypeNode):
        node = node.type
    return node.name.value


def _without_prose(node: Any) -> Any:
    """Return a definition without descriptions and directives, down to the arguments of its fields."""
    bare: dict[str, Any] = {"description": None, "directives": ()}
    for name in ("fields", "values", "arguments"):
        if parts := getattr(node, name, None):
            bare[name] = tuple(map(_without_prose, parts))
    return replace(node, **bare)


if __name__ == "__main__":
    main()
