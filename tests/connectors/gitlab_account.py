"""Somebody with GitLab."""

from __future__ import annotations

from typing import Any

from connectors.gitlab import GitLabConnector
from tests.connectors.stand import Stand, TablePerson
from tests.servers import gitlab


class GitLabAccount(TablePerson):
    """Somebody who works with issues in a browser."""

    title, notes, due, number = "title", "description", "due_date", "iid"
    refuses_to_delete = True
    copied = ("description", "due_date", "labels", "assignees")

    def tick(self, native_id: str) -> None:
        gitlab.reopen(self.row(native_id))
        gitlab.close(self.table, self.row(native_id))

    def reopen(self, native_id: str) -> None:
        gitlab.reopen(self.row(native_id))

    def cancel(self, native_id: str) -> None:
        """Move it to another project: a closed issue says no reason."""
        gitlab.close(self.table, self.row(native_id))
        self.row(native_id)["moved_to_id"] = 4711

    def add(self, title: str, **fields: Any) -> str:
        return str(gitlab.add(self.table, title, **fields)["iid"])


GITLAB = Stand(GitLabConnector, gitlab.server, GitLabAccount, {"project": gitlab.PROJECT})
