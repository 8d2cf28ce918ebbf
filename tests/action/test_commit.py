"""Commits of the action are pushed without force, by real git into a real remote that others push to as well."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from sync.action.commit import Pushed, push
from tests import repository

if TYPE_CHECKING:
    from pathlib import Path

REF = "refs/heads/main"
MESSAGE = "backplan: a goal is new"


class Place:
    """A checkout with a file, its remote, and the clone of somebody else."""

    def __init__(self, folder: Path) -> None:
        self.top, self.remote, self.other = folder / "ours", folder / "remote", folder / "other"
        repository.make(self.top, self.remote)
        repository.push(self.top, {"goals.yaml": "one\n", "todo.md": "- a\n"})
        repository.git(folder, "clone", "--quiet", str(self.remote), str(self.other))
        self.edits = 0

    @property
    def goals(self) -> Path:
        return self.top / "goals.yaml"

    def edit(self) -> None:
        self.edits += 1
        self.goals.write_text(self.goals.read_text("utf-8") + "ours\n", "utf-8", newline="")

    def push(self) -> Pushed:
        return push(self.top, REF, [self.goals], MESSAGE, self.edit)

    def refuse(self, hook: str) -> None:
        path = self.remote / "hooks" / "pre-receive"
        path.parent.mkdir(exist_ok=True)
        path.write_text(f"#!/bin/sh\n{hook}\n", "utf-8")
        path.chmod(0o755)

    def there(self, name: str = "goals.yaml") -> str:
        return repository.git(self.remote, "show", f"main:{name}")

    def subjects(self) -> list[str]:
        return repository.git(self.remote, "log", "--format=%s", "main").splitlines()


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)


def test_an_edit_is_pushed_and_no_other_change_with_it(place: Place) -> None:
    (place.top / "todo.md").write_text("- a\n- not ours to commit\n", "utf-8", newline="")
    assert place.push() == Pushed("pushed")
    assert (place.there(), place.there("todo.md")) == ("one\nours\n", "- a\n")
    assert place.subjects() == [MESSAGE, "A change"]
    assert "not ours" in (place.top / "todo.md").read_text("utf-8")


def test_no_edit_is_no_commit(place: Place) -> None:
    assert push(place.top, REF, [place.goals], MESSAGE, lambda: None) == Pushed("nothing")
    assert place.subjects() == ["A change"]


def test_an_edit_is_made_again_on_what_somebody_pushed_in_the_meantime(place: Place) -> None:
    def edit() -> None:
        place.edit()
        if place.edits == 1:
            repository.push(place.other, {"goals.yaml": "one\ntwo\n", "new.md": "theirs\n"})

    (place.top / "todo.md").write_text("- changed\n", "utf-8", newline="")
    assert push(place.top, REF, [place.goals], MESSAGE, edit) == Pushed("pushed")
    assert place.edits == 2
    assert (place.there(), place.there("new.md")) == ("one\ntwo\nours\n", "theirs\n")
    assert place.subjects() == [MESSAGE, "A change", "A change"]
    assert (place.top / "todo.md").read_text("utf-8") == "- changed\n"


@pytest.mark.proof
def test_where_somebody_pushes_each_time_nothing_is_forced(place: Place) -> None:
    def edit() -> None:
        place.edit()
        repository.push(place.other, {"goals.yaml": f"{place.edits}\n"})

    done = push(place.top, REF, [place.goals], MESSAGE, edit)
    assert (done.result, place.edits) == ("refused", 3)
    assert place.goals.read_text("utf-8") == place.there() == "3\n"


def test_a_protected_branch_leaves_the_file_as_the_branch_has_it(place: Place) -> None:
    place.refuse("echo 'Protected branch: changes must be made through a pull request' >&2; exit 1")
    done = place.push()
    assert done.result == "refused"
    assert "Protected branch" in done.why
    assert place.goals.read_text("utf-8") == place.there() == "one\n"
    assert repository.git(place.top, "status", "--porcelain") == ""


def test_a_push_whose_answer_was_lost_counts(place: Place) -> None:
    hook = place.remote / "hooks" / "post-update"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text("#!/bin/sh\nkill -9 $PPID\n", "utf-8")
    hook.chmod(0o755)
    assert place.push() == Pushed("pushed")
    assert place.subjects() == [MESSAGE, "A change"]


@pytest.mark.parametrize("mine", ["one\nnot committed\n", None])
def test_a_file_with_changes_of_its_own_is_not_touched(place: Place, mine: str | None) -> None:
    if mine is None:
        repository.git(place.top, "rm", "--quiet", "--cached", "goals.yaml")
    else:
        place.goals.write_text(mine, "utf-8", newline="")
    before = place.goals.read_bytes()
    assert place.push().result == "refused"
    assert (place.goals.read_bytes(), place.edits) == (before, 0)


def test_an_edit_that_fails_leaves_no_trace(place: Place) -> None:
    def edit() -> None:
        place.edit()
        raise ValueError("a mistake")

    with pytest.raises(ValueError, match="a mistake"):
        push(place.top, REF, [place.goals], MESSAGE, edit)
    assert place.goals.read_text("utf-8") == place.there() == "one\n"


@pytest.mark.proof
def test_commits_of_somebody_that_are_not_pushed_stay(place: Place) -> None:
    repository.git(place.top, "commit", "--quiet", "--allow-empty", "--message", "mine")
    assert place.push() == Pushed("refused", f"the checkout has commits that are not in {REF}")
    assert repository.git(place.top, "log", "-1", "--format=%s").strip() == "mine"
    assert place.subjects() == ["A change"]


def test_a_checkout_of_one_commit_is_enough(place: Place, tmp_path: Path) -> None:
    repository.push(place.other, {"more.md": "more\n"})
    shallow = tmp_path / "shallow"
    repository.git(tmp_path, "clone", "--quiet", "--depth=1", place.remote.as_uri(), str(shallow))
    repository.push(place.other, {"more.md": "and more\n"})
    place.top = shallow
    assert place.push() == Pushed("pushed")
    assert place.there() == "one\nours\n"
    assert place.subjects() == [MESSAGE, *["A change"] * 3]
