"""The workflow to copy: it is what GitHub takes, asks for as little as it needs, and runs nothing that can be moved."""

from __future__ import annotations

import re
from itertools import combinations
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from sync.cli import workflow_template
from tests.conftest import ROOT

if TYPE_CHECKING:
    from collections.abc import Collection

APPS = ("markdown", "todoist", "github", "taskwarrior")
ALL = [some for n in range(1, 5) for some in combinations(APPS, n)]


def read(apps: Collection[str], goals: str = "goals.yaml") -> dict[Any, Any]:
    read: dict[Any, Any] = yaml.safe_load(workflow_template.text(goals, apps))
    return read


def events(found: dict[Any, Any]) -> dict[str, Any]:
    return found[True]  # type: ignore[no-any-return]  # YAML 1.1 takes `on` for a truth


@pytest.mark.parametrize("apps", ALL, ids=" ".join)
def test_each_app_gets_the_permissions_and_events_that_it_needs_and_no_more(apps: tuple[str, ...]) -> None:
    found = read(apps)
    jobs = found["jobs"]
    assert found["permissions"] == {}
    issues = "github" in apps
    written = "write" if "markdown" in apps else "read"
    assert jobs["sync"]["permissions"] == {"contents": written} | ({"issues": "write"} if issues else {})
    told = {"pull-requests": "write"} | ({"issues": "read"} if issues else {})
    assert jobs["plan"]["permissions"] == {"contents": "read"} | told
    assert ("issues" in events(found)) == issues
    handed_on = {"TODOIST_API_TOKEN": "${{ secrets.TODOIST_API_TOKEN }}"} if "todoist" in apps else {}
    assert [job["steps"][1].get("env", {}) for job in jobs.values()] == [handed_on] * 2
    assert ("*.md" in workflow_template.text("goals.yaml", apps)) == ("markdown" in apps)
    assert all(job["timeout-minutes"] <= 15 for job in jobs.values())


@pytest.mark.parametrize("apps", ALL, ids=" ".join)
def test_what_others_wrote_is_pinned(apps: tuple[str, ...]) -> None:
    uses = [step["uses"] for job in read(apps)["jobs"].values() for step in job["steps"] if "uses" in step]
    assert {use for use in uses if not re.fullmatch(r"actions/\w+@[0-9a-f]{40}", use)} == {workflow_template.ACTION}


@pytest.mark.parametrize("apps", ALL, ids=" ".join)
def test_what_syncs_takes_the_branch_as_it_is_and_what_plans_the_commit(apps: tuple[str, ...]) -> None:
    ours: dict[Any, Any] = yaml.safe_load((ROOT / workflow_template.PATH).read_text("utf-8"))
    for found in (read(apps), ours):
        checkouts = {name: job["steps"][0]["with"] for name, job in found["jobs"].items()}
        assert checkouts["sync"]["ref"] == "${{ github.ref }}"
        assert "ref" not in checkouts["plan"]


@pytest.mark.parametrize("apps", [("markdown",), APPS], ids=" ".join)
@pytest.mark.parametrize("place", workflow_template.PLACES)
def test_the_page_is_published_with_no_more_rights_than_that_needs(apps: tuple[str, ...], place: str) -> None:
    plain, found = read(apps), yaml.safe_load(workflow_template.text("goals.yaml", apps, place))
    assert {name: job["permissions"] for name, job in found["jobs"].items() if name != "page"} == {
        name: job["permissions"] for name, job in plain["jobs"].items()
    }
    steps = found["jobs"]["sync"]["steps"]
    assert steps[0]["with"]["fetch-depth"] == 0
    folder = steps[1]["with"]["page"]
    assert steps[-1]["with"]["path"] == folder
    uses = [step["uses"] for job in found["jobs"].values() for step in job["steps"] if "uses" in step]
    assert all(re.fullmatch(r"actions/[\w-]+@[0-9a-f]{40}", use) for use in uses if use != workflow_template.ACTION)
    assert ("page" in found["jobs"]) == (place == "pages")
    if place == "pages":
        assert found["jobs"]["page"]["permissions"] == {"pages": "write", "id-token": "write"}
        assert found["jobs"]["page"]["needs"] == "sync"
        assert found["jobs"]["page"]["if"] == found["jobs"]["sync"]["if"]  # never for a pull request


def test_it_does_not_run_at_a_full_hour() -> None:
    ((cron,),) = ([entry["cron"] for entry in events(read({"todoist"}))["schedule"]],)
    assert int(cron.split()[0]) % 5


@given(st.text(st.characters(exclude_categories=["Cc", "Cs"]), min_size=1))
def test_any_path_is_written_so_that_it_is_read_back(goals: str) -> None:
    found = read({"todoist"}, goals)
    assert events(found)["push"]["paths"] == [goals, workflow_template.PATH]
    if goals not in ("goals.yaml", "config/goals.yaml"):
        assert found["jobs"]["sync"]["steps"][1]["with"]["goals"] == goals


def test_the_documentation_shows_these() -> None:
    shown = (ROOT / "docs" / "github-action.md").read_text("utf-8") + (ROOT / "docs" / "in-the-browser.md").read_text(
        "utf-8"
    )
    for app in ("markdown", "todoist", "github"):
        assert workflow_template.text("goals.yaml", {app}) in shown, app
    page = (ROOT / "docs" / "page.md").read_text("utf-8")
    assert workflow_template.text("goals.yaml", {"markdown"}, "pages") in page


def test_our_own_house_uses_the_same_versions() -> None:
    ours = [*(ROOT / ".github" / "workflows").glob("*.yml"), ROOT / "action.yml"]
    text = "".join(path.read_text("utf-8") for path in ours)
    assert set(re.findall(r"actions/checkout@.+", text)) == {workflow_template.CHECKOUT}
