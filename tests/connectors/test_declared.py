"""What the connectors declare is what the documentation says of them, and what a workflow hands on."""

from __future__ import annotations

import re
import tomllib

import pytest

from connectors import registry
from connectors.options import Declares
from tests.conftest import ROOT

NAMES = sorted(
    tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["entry-points"]["backplan.connectors"]
)
PAGES = {"markdown": "tasks"}


def page(name: str) -> str:
    return (ROOT / "docs" / f"{PAGES.get(name, name)}.md").read_text("utf-8")


def declared(name: str) -> type[Declares]:
    found: object = registry.load(name)
    assert isinstance(found, Declares)
    return found  # type: ignore[return-value]  # it is a class


@pytest.mark.parametrize("name", [name for name in NAMES if registry.credential(name)])
def test_the_table_of_the_readme_says_what_to_write_and_what_it_needs(name: str) -> None:
    credential = declared(name).credential
    assert credential is not None
    needs = ", ".join(f"`{variable}`" for variable in credential.variables)
    line = f"| `sync: [{{{name}: {declared(name).options.example}}}]` | {needs} |"
    (row,) = (row for row in (ROOT / "README.md").read_text("utf-8").splitlines() if f"sync: [{{{name}:" in row)
    assert row.endswith(line)
    assert f"docs/{name}.md" in row


@pytest.mark.parametrize("name", NAMES)
def test_its_page_says_every_setting_and_every_variable(name: str) -> None:
    found = declared(name)
    settings = [field.alias or name for name, field in found.options.model_fields.items()]
    variables = found.credential.variables if found.credential else ()
    text = page(name)
    assert [word for word in (*settings, *variables) if not re.search(rf"`[^`\n]*\b{word}\b[^`\n]*`", text)] == []


@pytest.mark.parametrize("name", NAMES)
def test_its_page_shows_how_a_workflow_hands_on_its_variables(name: str) -> None:
    credential = registry.credential(name)
    if credential is None or credential.permissions or name == "todoist":
        pytest.skip("a page of its own shows the whole workflow")
    lines = "".join(f"    {variable}: ${{{{ secrets.{variable} }}}}\n" for variable in credential.variables)
    assert f"- uses: OWNER/backplan@v1\n  env:\n{lines}```" in page(name)
