"""The site in a folder, and in the browser: what is written, what is served, and to whom."""

from __future__ import annotations

import http.client
import os
import signal
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from tests.conftest import FOOD_HANDLER, ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.conftest import Person

SITE = ["calendar.ics", "goal/food-handler.html", "goal/food-handler.ics", "index.html", "plan.json"]


def files(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_a_site_is_written_and_written_again_only_where_it_changed(person: Person) -> None:
    person.writes(FOOD_HANDLER)
    assert person.run("page", "site").err == "wrote site/index.html and 4 other files\n"
    site = person.folder / "site"
    before = files(site)
    assert sorted(before) == SITE
    assert before["plan.json"].decode() == person.run("schedule", "--json").out.strip()
    os.utime(site / "index.html", (0, 0))
    assert person.run("page", "site", "--json").json == {"version": 1, "written": SITE}
    assert (site / "index.html").stat().st_mtime == 0
    assert files(site) == before


def test_the_page_of_a_goal_that_is_gone_goes_too_and_nothing_else(person: Person) -> None:
    person.writes(FOOD_HANDLER)
    person.run("page", "site")
    person.writes("<p>of mine</p>", "site/goal/mine.html")
    person.writes("of mine", "site/goal/food.ics")
    person.writes(FOOD_HANDLER.replace("id: food-handler", "id: card"))
    person.run("page", "site", "--url", "https://me.example.org/plan/", "--ics-alarms")
    kept = {name.replace("food-handler", "card") for name in SITE}
    assert set(files(person.folder / "site")) == kept | {"goal/mine.html", "goal/food.ics"}
    calendar = (person.folder / "site" / "calendar.ics").read_text("utf-8")
    assert "URL:https://me.example.org/plan/goal/card.html#card/find\n" in calendar.replace("\r\n", "\n")
    assert calendar.count("BEGIN:VALARM") == calendar.count("BEGIN:VEVENT")


def test_a_file_in_the_way_is_named(person: Person) -> None:
    person.writes(FOOD_HANDLER)
    person.writes("", "site")
    done = person.run("page", "site")
    assert done.code == 1
    assert done.err.startswith("error: site/index.html: cannot be written: ")


def test_a_page_of_the_users_own_is_not_overwritten(person: Person) -> None:
    person.writes(FOOD_HANDLER)
    person.writes("<p>of mine</p>", "site/index.html")
    done = person.run("page", "site")
    assert done.code == 1
    assert "site/index.html: is not a page of backplan" in done.err
    assert files(person.folder / "site") == {"index.html": b"<p>of mine</p>"}


def test_the_slack_is_shown_where_more_is_wanted(person: Person) -> None:
    person.writes(FOOD_HANDLER)
    assert "slack" not in person.run("schedule").out
    assert "slack" in person.run("schedule", "-v").out


# In the browser


class Served:
    """A running `backplan open`, and requests to it."""

    def __init__(self, person: Person, *arguments: str) -> None:
        env = {**os.environ, "PYTHONPATH": str(ROOT), "BACKPLAN_TODAY": person.today.isoformat()}
        command = [sys.executable, "-P", "-m", "sync.cli.main", "open", *arguments]
        self.process = subprocess.Popen(
            command, cwd=person.folder, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        assert self.process.stdout
        self.address = self.process.stdout.readline().strip()
        self.host = self.address.removeprefix("http://").strip("/")

    def get(self, path: str, host: str | None = None) -> http.client.HTTPResponse:
        connection = http.client.HTTPConnection(self.host)
        connection.request("GET", path, headers={"Host": host or self.host})
        return connection.getresponse()

    def stop(self) -> int:
        self.process.send_signal(signal.SIGINT)
        self.process.communicate()
        return self.process.returncode


@pytest.fixture
def served(person: Person) -> Iterator[Served]:
    person.writes(FOOD_HANDLER)
    running = Served(person, "--no-browser")
    yield running
    running.stop()


@pytest.mark.skipif(os.name == "nt", reason="Windows sends no such signal")
def test_a_site_is_served_on_this_machine_until_it_is_stopped(person: Person, served: Served) -> None:
    index = served.get("/")
    assert (index.status, index.headers["Content-Type"]) == (200, "text/html; charset=utf-8")
    assert "Complete my food handler certification" in index.read().decode()
    assert served.get("/calendar.ics").read().startswith(b"BEGIN:VCALENDAR")
    assert served.get("/goals.yaml").status == 404
    assert served.get("/../goals.yaml").status == 404
    for host in ("evil.example.org", f"evil.example.org:{served.host.rpartition(':')[2]}", "127.0.0.1"):
        answer = served.get("/", host)
        assert answer.status == 421
        assert b"food" not in answer.read()
    assert served.get("/", served.host.replace("127.0.0.1", "localhost")).status == 200

    waiting = served.get("/changes/0")
    person.writes(FOOD_HANDLER.replace("Complete my", "Get my very own"))
    assert "data: changed" in "".join(line.decode() for line in waiting)
    assert "Get my very own food handler" in served.get("/goal/food-handler.html").read().decode()

    person.writes("goals: [{title: <b>, deadline: soon}]\n")
    wrong = served.get("/goal/food-handler.html")
    shown = wrong.read().decode()
    assert (wrong.status, "goals.yaml:1:" in shown, "<b>" in shown) == (500, True, False)
    person.writes(FOOD_HANDLER)
    person.run("sync")
    ticked = person.todo.read_text("utf-8").replace("- [ ] Find", "- [x] Find")
    assert "0 of 6 done" in served.get("/").read().decode()
    person.todo.write_text(ticked, "utf-8")
    assert "1 of 6 done" in served.get("/").read().decode()
    assert served.stop() == 0


def test_a_plan_that_cannot_be_read_is_not_served(person: Person) -> None:
    person.writes("goals: [{title: A, deadline: soon}]\n")
    done = person.run("open", "--no-browser")
    assert done.code != 0
    assert "goals.yaml:1:" in done.err
