"""The services that the suites over HTTP try, each behind its stand-in."""

from __future__ import annotations

from tests.connectors.caldav_account import ON_NEXTCLOUD
from tests.connectors.gitlab_account import GITLAB
from tests.connectors.google_tasks_account import GOOGLE_TASKS
from tests.connectors.jira_account import JIRA
from tests.connectors.linear_account import LINEAR
from tests.connectors.microsoft_todo_account import MICROSOFT_TODO
from tests.connectors.notion_account import NOTION

STANDS = (GITLAB, ON_NEXTCLOUD, GOOGLE_TASKS, LINEAR, NOTION, MICROSOFT_TODO, JIRA)
