"""What the test command runs, and what it leaves to the proof.

`python3 scripts/test.py` is for people who wait for it: three minutes on two processors. What takes longer is marked
`proof`: `.ci/run` runs it, as `python3 scripts/test.py --proof`. pytest by itself runs both.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pytest

HOW = "`python3 scripts/test.py --proof` runs that, and .ci/run both."
QUICK, PROOF = "not proof", "proof"  # pytest's -m

# Where the suite for connectors (tests/connectors/contract.py) runs in full in the test command: one service of every
# class of reliability, and a real file. Those that come later get ten seconds of processor time each: CASES.
IN_FULL = {
    "memory": "exact, unique and safe, in memory",
    "markdown": "unique, in a real file",
    "todoist": "unique, over HTTP",
    "github": "safe, over HTTP",
}

# Another server, program or form of a connector that has the whole suite, or a service much like one: these have CASES,
# in the proof alone.
IN_PART = {
    "todoistwithpage": "Todoist, with markers that are links",
    "caldavasevents": "CalDAV, as events in Radicale",
    "caldavonradicale": "CalDAV, as tasks in Radicale",
    "caldavonxandikos": "CalDAV, as tasks in Xandikos",
    "jira": "Jira Cloud, over HTTP",
    "taskwarrioritself": "Taskwarrior, the program itself",
    "microsofttodo": "Microsoft To Do, a list like that of Google Tasks",
}

# What the test command tries of any other, such as GitHub with all that can be around its issues. The proof tries all.
CASES = frozenset(
    {
        "test_created_tasks_hold_what_the_file_says",
        "test_a_change_in_the_file_reaches_its_field_and_no_other",
        "test_the_first_day_is_what_the_plan_says",
        "test_what_comes_before_a_task_is_linked_to_it",
        "test_the_memory_comes_back_as_it_was_written",
        "test_every_write_of_a_batch_is_answered_in_order_and_one_bad_one_harms_no_other",
        "test_a_ticked_task_is_done_and_stays_done",
        "test_a_reopened_task_is_open_again",
        "test_a_moved_date_is_a_pin_until_the_deadline_changes",
        "test_a_title_that_a_person_changed_stays",
        "test_a_deleted_task_stays_deleted_until_its_step_changes",
        "test_a_copy_belongs_to_the_person",
        "test_a_damaged_marker_is_repaired",
        "test_an_untouched_step_that_left_the_file_is_removed",
        "test_a_renamed_step_keeps_its_task",
        "test_a_group_has_a_task_with_its_steps_below",
        "test_a_run_can_be_undone",
        "test_another_namespace_is_somebody_elses",
    }
)

# What goes through the kit as another service does that is tried here (GitLab) is the proof's alone.
IN_THE_PROOF = frozenset({"googletasks", "linear", "notion"})

# Whose processes the proof starts from nothing, as people do; otherwise they are forked from one that has all imported.
FROM_NOTHING = frozenset({"test_main_job.py", "test_docs.py"})

# The sizes in the test command, and in the proof (there `quick` is False).
quick = False


def examples(count: int) -> int:
    """Return how many examples a property that deserves `count` of them is tried with."""
    return max(count // 12, 10) if quick else count


def is_left_out(item: pytest.Item) -> bool:
    """Return whether a test is tried nowhere: a case of the suite for connectors that has nothing new to show."""
    suite = getattr(item, "cls", None)
    name = suite.__name__.removeprefix("Test").lower() if suite is not None else ""
    return name in IN_PART and getattr(item, "originalname", "") not in CASES


def is_left_to_the_proof(item: pytest.Item, *, proof: bool) -> bool:
    """Return whether a test is the proof's without saying so itself.

    proof: this is a run of the proof. It runs properties again, with all of their examples, and the main job again,
    with each of its processes started from nothing.
    """
    suite = getattr(item, "cls", None)
    if suite is not None and any(base.__name__ == "Contract" for base in suite.__mro__):
        connector = suite.__name__.removeprefix("Test").lower()
        if connector in IN_THE_PROOF:
            return True
        return connector not in IN_FULL and getattr(item, "originalname", "") not in CASES
    is_property = getattr(getattr(item, "obj", None), "is_hypothesis_test", False)
    starts_processes = not {"person", "leak"}.isdisjoint(getattr(item, "fixturenames", ()))
    return proof and (is_property or (starts_processes and item.path.name in FROM_NOTHING))
