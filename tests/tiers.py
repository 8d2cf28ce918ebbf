"""What the test command runs, and what it leaves to the proof.

`python3 scripts/test.py` is for people who wait for it: three minutes on two processors. What takes longer is marked
`proof`: `.ci/run` runs it, as `python3 scripts/test.py --proof`. pytest by itself runs both.
"""

from __future__ import annotations

from zlib import crc32

import pytest

HOW = "`python3 scripts/test.py --proof` runs that, and .ci/run both."
QUICK, PROOF = "not proof", "proof"  # pytest's -m

# Where the suite for connectors (tests/connectors/contract.py) runs in full in the test command: every class of
# reliability, and a real file. Services over HTTP have CASES there.
IN_FULL = {
    "memory": "exact, unique and safe, in memory",
    "markdown": "unique, in a real file",
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

# What the test command tries of any other, such as GitHub. The proof tries all.
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
IN_THE_PROOF = frozenset({"githubwithall", "googletasks", "linear", "notion"})

# Tests of many cases, and each of them of the same kind: the test command tries one in four, the proof all.
SAMPLED = frozenset(
    {
        "test_a_box_without_a_cross_is_open_and_its_line_is_there",
        "test_a_damaged_journal_is_told_with_its_place",
        "test_a_date_in_other_words_is_not_cleared",
        "test_a_day_as_people_write_it_moves_the_task_and_its_spelling_stays",
        "test_a_file_that_is_made_to_cost_is_answered_soon",
        "test_a_forged_marker_in_a_shared_project_changes_nothing",
        "test_a_full_disk_is_an_error_in_a_sentence",
        "test_a_killed_run_is_finished",
        "test_a_memory_that_a_person_changed_is_repaired_and_said_once",
        "test_a_person_may_give_any_title",
        "test_a_rename_that_was_cut_short_loses_no_task",
        "test_a_run_that_is_cut_short_between_any_two_batches_is_finished",
        "test_a_run_that_is_cut_short_is_finished_by_the_next",
        "test_a_title_or_its_beginning_does_instead_of_an_id",
        "test_an_id_that_changes_with_the_same_title_keeps_its_task_and_its_tick",
        "test_each_picture_of_a_plan_at_the_ends_of_time_is_drawn_or_refused",
        "test_every_known_wrong_strategy_is_caught",
        "test_every_single_fault",
        "test_every_single_fault_while_a_memory_is_made_anew",
        "test_killed_after_any_request",
        "test_no_error_holds_a_secret",
        "test_nobody_who_reads_is_no_error",
        "test_nothing_goes_before_the_new_place_has_it",
        "test_nothing_that_a_command_prints_or_writes_holds_a_secret",
        "test_the_order_of_goals_and_apps_makes_no_difference",
        "test_they_come_back_as_well",
        "test_what_cannot_be_read_is_left_as_it_is_and_reported_until_it_is_mended",
        "test_what_cannot_be_read_is_no_evidence",
        "test_what_looks_like_a_marker_and_is_none_changes_nothing",
        "test_what_was_stored_is_read_as_it_was_meant",
    }
)
ONE_IN = 4

# Tests that are shorter in the test command, by `quick` or `requests`: the proof has them again, at their full length.
SHORTENED = frozenset(
    {
        "test_a_later_part_whose_answer_is_lost_is_not_asked_for_anew",
        "test_a_list_that_lags_makes_nothing_twice",
        "test_a_memory_of_several_tasks_is_as_safe_as_one",
        "test_a_process_that_is_killed_leaves_the_old_file_or_the_new_one",
        "test_a_run_that_ends_at_any_request_is_finished_by_the_next",
        "test_an_answer_of_another_shape_is_an_error_and_harms_nothing",
        "test_any_fault_at_any_request",
        "test_one_fault_anywhere_is_overcome_within_the_run",
        "test_what_was_made_without_an_answer_is_found_whatever_the_clock_of_this_machine_says",
    }
)

# Whose processes the proof starts from nothing, as people do; otherwise they are forked from one that has all imported.
FROM_NOTHING = frozenset({"test_main_job.py", "test_docs.py"})

# The sizes in the test command, and in the proof (there `quick` is False).
quick = False


def examples(count: int) -> int:
    """Return how many examples a property that deserves `count` of them is tried with."""
    return max(count // 12, 10) if quick else count


def requests(count: int) -> range:
    """Return the requests of a run at which something happens in turn: all of them, or one in four."""
    return range(0, count, ONE_IN if quick else 1)


def is_left_out(item: pytest.Item) -> bool:
    """Return whether a test is tried nowhere: a case of the suite for connectors that has nothing new to show."""
    suite = getattr(item, "cls", None)
    name = suite.__name__.removeprefix("Test").lower() if suite is not None else ""
    return name in IN_PART and getattr(item, "originalname", "") not in CASES


def is_left_to_the_proof(item: pytest.Item, *, proof: bool) -> bool:
    """Return whether a test is the proof's without saying so itself.

    proof: this is a run of the proof. It runs properties again, with all of their examples, what is shortened, and the
    main job, with each of its processes started from nothing.
    """
    suite = getattr(item, "cls", None)
    if suite is not None and any(base.__name__ == "Contract" for base in suite.__mro__):
        connector = suite.__name__.removeprefix("Test").lower()
        if connector in IN_THE_PROOF:
            return True
        return connector not in IN_FULL and getattr(item, "originalname", "") not in CASES
    name = getattr(item, "originalname", "")
    if name in SAMPLED and isinstance(item, pytest.Function) and hasattr(item, "callspec"):
        return crc32(item.callspec.id.encode()) % ONE_IN != 0
    is_property = getattr(getattr(item, "obj", None), "is_hypothesis_test", False)
    starts_processes = not {"person", "leak"}.isdisjoint(getattr(item, "fixturenames", ()))
    return proof and (is_property or name in SHORTENED or (starts_processes and item.path.name in FROM_NOTHING))
