"""A connector that others have written, installed with one entry point, is treated like those that ship."""

from __future__ import annotations

import json
import os
import sys
from typing import TYPE_CHECKING

import pytest
import yaml

from config.errors import CredentialsError, InputError
from sync.cli import workflow_template
from tests.conftest import ROOT, Person
from tests.servers import gitlab
from tests.servers.table import TOKEN

if TYPE_CHECKING:
    from pathlib import Path

MODULE = """
from pydantic import Field

from config.settings import Credential
from connectors.gitlab import GitLab
from connectors.http import Service
from connectors.options import Options
from connectors.service import ServiceConnector


class FridgeOptions(Options):
    example = "{door: ann/goals}"
    door: str = Field(pattern="/", description="the door that notes are put on, such as ann/goals")

    @property
    def place(self):
        return self.door

    @property
    def project(self):
        return self.door


class Fridge(GitLab):
    name = "fridge"
    http = Service(
        Credential(
            "The fridge", "FRIDGE_KEY", "open it, read the sticker", "FRIDGE_URL", "", also={"FRIDGE_OWNER": "owner"}
        ),
        header="PRIVATE-TOKEN",
        scheme="",
    )


class FridgeConnector(ServiceConnector, service=Fridge, options=FridgeOptions):
    pass
"""
GOALS = """namespace: me/goals
sync: [{fridge: {door: ann/goals}}]
goals: [{id: g, title: Reach it, deadline: 2027-09-30, steps: [{id: one, title: Begin}]}]
"""
INIT = ("init", "--title", "Swim", "--deadline", "2028-06-16", "--connector", "fridge")


@pytest.fixture
def owner(person: Person, tmp_path: Path) -> Person:
    """Somebody who has it installed."""
    site = tmp_path / "site"
    info = site / "fridge-1.0.dist-info"
    info.mkdir(parents=True)
    (site / "fridge.py").write_text(MODULE, encoding="utf-8")
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: fridge\nVersion: 1.0\n", encoding="utf-8")
    (info / "entry_points.txt").write_text("[backplan.connectors]\nfridge = fridge:FridgeConnector\n", encoding="utf-8")
    person.folder = tmp_path / "plan"
    person.folder.mkdir()
    person.env = {"PYTHONPATH": f"{ROOT}{os.pathsep}{site}"}
    return person


def test_it_is_listed_and_part_of_the_schema(owner: Person) -> None:
    (told,) = (one for one in owner.run("connectors", "--json").json["connectors"] if one["name"] == "fridge")
    assert (told["sync"], told["configured"]) == ("{fridge: {door: ann/goals}}", False)
    assert told["variables"] == ["FRIDGE_URL", "FRIDGE_OWNER", "FRIDGE_KEY"]
    schema = json.loads(owner.run("schema").out)
    assert '"the door that notes are put on, such as ann/goals"' in json.dumps(schema)


def test_a_wrong_setting_and_a_missing_key_are_named(owner: Person) -> None:
    owner.writes(GOALS.replace("ann/goals}", "7}"))
    assert "goals.yaml:2:18: fridge: invalid `door: 7`; expected the door that notes" in owner.run("plan").err
    owner.writes(GOALS)
    env: dict[str, str] = {}
    for name, value, code, words in (
        ("FRIDGE_URL", "http://localhost:1", InputError.exit_code, "address is missing: put it"),
        ("FRIDGE_OWNER", "Ann", CredentialsError.exit_code, "owner is missing: put it"),
        ("FRIDGE_KEY", TOKEN, CredentialsError.exit_code, "token is missing: open it, read the sticker and put it"),
    ):
        done = owner.run("plan", env=env)
        assert done.code == code
        assert f"The fridge's {words} into the environment variable {name}" in done.err
        env[name] = value


@pytest.mark.proof
def test_init_asks_for_its_place_and_the_workflow_hands_on_all_that_it_needs(owner: Person) -> None:
    refused = owner.run(*INIT)
    assert refused.code == 64
    assert "write `sync: [{fridge: {door: ann/goals}}]`" in refused.err
    if sys.platform != "win32":
        shown = owner.on_a_terminal([*INIT], ["", "no door", "ann/goals"])
        assert "fridge, the door that notes are put on, such as ann/goals?" in shown
        assert "invalid `door: no door`" in shown
        assert "The fridge: open it, read the sticker and put it into FRIDGE_KEY" in shown
        workflow = yaml.safe_load((owner.folder / workflow_template.PATH).read_text("utf-8"))
        for job in workflow["jobs"].values():
            names = ("FRIDGE_URL", "FRIDGE_OWNER", "FRIDGE_KEY")
            assert job["steps"][1]["env"] == {name: f"${{{{ secrets.{name} }}}}" for name in names}
        assert owner.run("check").code == 0


@pytest.mark.proof
def test_it_syncs_and_doctor_tries_it(owner: Person) -> None:
    owner.writes(GOALS)
    with gitlab.server() as server:
        env = {"FRIDGE_URL": server.url, "FRIDGE_OWNER": "Ann", "FRIDGE_KEY": TOKEN}
        assert owner.run("sync", env=env).code == 0
        assert "nothing to do" in owner.run("sync", env=env).out
        told = owner.run("doctor", env=env)
    assert told.code == 0
    assert "fridge (ann/goals)" in told.out
    assert sorted(row["title"] for row in server.table.rows.values())[:2] == ["Begin", "Reach it"]


@pytest.mark.proof
def test_the_action_hands_its_key_on_and_warns_where_the_goals_file_forgot_it(owner: Person) -> None:
    owner.writes(GOALS.replace("sync: [{fridge: {door: ann/goals}}]\n", ""))
    env = {"RUNNER_TEMP": str(owner.folder), "FRIDGE_KEY": TOKEN}
    done = owner.run(module="sync.action.main", env=env)
    assert done.code == 0, done.err
    assert "The workflow passes a token for The fridge" in done.out
    assert "Write `sync: [{fridge: {door: ann/goals}}]`" in done.out
