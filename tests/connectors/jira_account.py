"""Somebody with Jira."""

from __future__ import annotations

from typing import Any

from connectors.jira import JiraConnector
from tests.connectors.stand import Stand, TablePerson
from tests.servers import jira


class JiraAccount(TablePerson):
    """Somebody who works with issues in a browser."""

    title, notes, due, number = "summary", "description", "duedate", "id"
    refuses_to_delete = True
    left_out = frozenset({"backplan"})  # an issue without our property
    copied = ("description", "duedate", "labels", "line")

    def tick(self, native_id: str) -> None:
        jira.move(self.table, self.row(native_id), "31")

    def reopen(self, native_id: str) -> None:
        jira.move(self.table, self.row(native_id), "11")

    def cancel(self, native_id: str) -> None:
        jira.move(self.table, self.row(native_id), "31", "Won't Do")

    def add(self, title: str, **fields: Any) -> str:
        return str(jira.add(self.table, title, **fields)["id"])

    def damage_marker(self, native_id: str) -> None:
        row = self.row(native_id)
        row["line"] = " ".join([*row["line"].split()[:2], "oops"])

    def damage_memory(self) -> None:
        row = self.row(self.memory())
        row["line"] = row["line"].replace('"goal"', '"gaol"')


JIRA = Stand(JiraConnector, jira.server, JiraAccount, {"project": jira.PROJECT}, also={"JIRA_EMAIL": jira.EMAIL})
