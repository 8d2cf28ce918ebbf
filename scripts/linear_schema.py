"""Writes the GraphQL schema of Linear, cut to what the connector uses, for the tests' stand-in. Needs npm.

Linear publishes its schema as TypeScript types in its package `@linear/sdk`, under the MIT licence. They name each
type, field, argument and enumeration, and whether a value can be null: that is the whole schema.
"""

from __future__ import annotations

import re
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

import environment

PACKAGE = "@linear/sdk@98.0.0"
TARGET = environment.ROOT / "tests" / "servers" / "linear_schema.graphql"
_CONNECTION = "nodes pageInfo"
# The types that are used, with the fields that are used. Those of mutations' inputs are whole, for the judge's sake.
TYPES = {
    "Query": "viewer organization teams team issues issue issueLabels users comment",
    "Mutation": "issueBatchCreate issueUpdate issueDelete issueUnarchive attachmentCreate commentCreate "
    "issueLabelCreate",
    "User": "id name displayName email",
    "Organization": "id name urlKey",
    "Team": "id key name archivedAt retiredAt states",
    "Issue": "id identifier title description dueDate priority createdAt completedAt archivedAt trashed labelIds state "
    "team parent assignee attachments comments children url",
    "WorkflowState": "id name type position",
    "IssueLabel": "id name isGroup team",
    "Attachment": "id url title metadata",
    "Comment": "id body",
    "PageInfo": "hasNextPage endCursor",
    **{
        f"{name}Connection": _CONNECTION
        for name in ("User", "Team", "Issue", "WorkflowState", "IssueLabel", "Attachment", "Comment")
    },
    "IssueBatchPayload": "issues success",
    "IssuePayload": "issue success",
    "IssueArchivePayload": "success",
    "AttachmentPayload": "success",
    "CommentPayload": "success",
    "IssueLabelPayload": "success",
}
INPUTS = {
    "IssueBatchCreateInput": "",
    "IssueCreateInput": "",
    "IssueUpdateInput": "",
    "AttachmentCreateInput": "",
    "CommentCreateInput": "",
    "IssueLabelCreateInput": "",
    "IssueFilter": "team attachments",
    "TeamFilter": "id key",
    "AttachmentFilter": "url",
    "AttachmentCollectionFilter": "some every",
    "UserFilter": "displayName email name or",
    "IdComparator": "eq",
    "StringComparator": "eq neq eqIgnoreCase",
}
# What arguments name beside these would add hundreds of types.
_FILTERS = re.compile(r"(Filter|Comparator|SortInput)$")


def main() -> None:
    """Write the cut schema beside the stand-in."""
    definitions = Definitions(_types())
    note = f"# Cut from the types of Linear's {PACKAGE} (MIT licence) by scripts/linear_schema.py\n\n"
    TARGET.write_text(note + definitions.written(), encoding="utf-8")


def _types() -> str:
    """Return the TypeScript file with the types of the schema."""
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run(["npm", "pack", "--silent", PACKAGE], cwd=folder, check=True, stdout=sys.stderr)
        (archive,) = Path(folder).glob("*.tgz")
        with tarfile.open(archive) as tar:
            names = [name for name in tar.getnames() if re.search(r"/dist/index-[^/]+\.d\.mts$", name)]
            member = tar.extractfile(names[0])
            assert member is not None  # noqa: S101
            return member.read().decode()


class Definitions:
    """The types of a TypeScript file that GraphQL's code generator wrote, as GraphQL."""

    def __init__(self, text: str) -> None:
        found = re.finditer(r"(?ms)^type (\w+) = (?:\w+ & )*\{\n(.*?)^\};", text)
        self._types = {match[1]: _fields(match[2]) for match in found}
        found = re.finditer(r"(?ms)^declare enum (\w+) \{\n(.*?)^\}", text)
        self._enums = {match[1]: re.findall(r'(?m)^  \w+ = "(\w+)",$', match[2]) for match in found}
        self._waiting: set[str] = set()

    def written(self) -> str:
        """Return the types that are used, and the enumerations and scalars that those name."""
        parts = [self._type(name, names.split()) for name, names in TYPES.items()]
        parts += [self._input(name, names.split()) for name, names in INPUTS.items()]
        named = self._waiting - TYPES.keys() - INPUTS.keys() - {"String", "Int", "Float", "Boolean", "ID"}
        for name in named:
            values = "\n".join(f"  {value}" for value in self._enums.get(name, ()))
            parts.append(f"enum {name} {{\n{values}\n}}" if values else f"scalar {name}")
        return "\n\n".join(sorted(parts)) + "\n"

    def _type(self, name: str, fields: list[str]) -> str:
        lines = []
        for field in fields:
            arguments = self._types.get(f"{name}{field[0].upper()}{field[1:]}Args", {})
            given = ", ".join(f"{one}: {self._graphql(type_)}" for one, type_ in arguments.items() if self._kept(type_))
            lines.append(f"  {field}{f'({given})' if given else ''}: {self._graphql(self._types[name][field])}")
        return f"type {name} {{\n" + "\n".join(lines) + "\n}"

    def _input(self, name: str, fields: list[str]) -> str:
        known = self._types[name]
        lines = [f"  {field}: {self._graphql(known[field])}" for field in fields or known]
        return f"input {name} {{\n" + "\n".join(lines) + "\n}"

    def _kept(self, written: str) -> bool:
        """Return whether an argument is used: no filters but those of `INPUTS`."""
        name = _named(written)
        return name in INPUTS or not _FILTERS.search(name)

    def _graphql(self, written: str) -> str:
        """Return a type of TypeScript in GraphQL's notation."""
        self._waiting.add(_named(written))
        if match := re.fullmatch(r"(?:Input)?Maybe<(.*)>", written):
            return self._graphql(match[1]).removesuffix("!")
        if match := re.fullmatch(r"Array<(.*)>", written):
            return f"[{self._graphql(match[1])}]!"
        return f"{_named(written)}!"


def _fields(text: str) -> dict[str, str]:
    """Return the types of the fields of an object, by their names."""
    return dict(re.findall(r"(?m)^  (\w+)\??: (.+);$", text))


def _named(written: str) -> str:
    """Return the name of the type at the heart of a type."""
    bare = re.sub(r"\b(?:InputMaybe|Maybe|Array)<|>", "", written)
    return re.sub(r'^Scalars\["(\w+)"\]$', r"\1", bare)


if __name__ == "__main__":
    main()
