"""Attacks on grading that tests of single parts try already: named here, not written twice."""

from __future__ import annotations

import ast
from dataclasses import dataclass

from support.paths import TESTS


@dataclass(frozen=True)
class Elsewhere:
    """Tests of one file: ``tries`` says what they try, ``tests`` are their functions' names."""

    tries: str
    file: str
    tests: tuple[str, ...]

    def missing(self) -> list[str]:
        """The tests that the file no longer has."""
        tree = ast.parse((TESTS / self.file).read_text(encoding="utf-8"))
        found = {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}
        return [name for name in self.tests if name not in found]


def _of(tries: str, file: str, *tests: str) -> Elsewhere:
    return Elsewhere(tries, file, tuple(f"test_{name}" for name in tests))


ELSEWHERE = (
    _of(
        "frames with shapes, types, keys and ranges that claim what is not there",
        "unit/test_codec.py",
        "a_forged_shape_is_refused_without_taking_memory",
        "an_empty_array_with_long_axes_is_refused_by_the_sender_in_words",
        "colliding_keys_are_limited",
        "colliding_members_are_limited_too",
        "hostile_tables_are_refused",
        "malformed_forms_are_refused",
        "malformed_newer_forms_are_refused_without_taking_memory",
        "ranges_that_would_not_fit_as_lists_are_refused_however_many_share_them",
        "trees_that_are_no_frames_are_refused",
        "what_is_not_plain_data_by_exact_type_is_refused_wherever_it_stands",
    ),
    _of(
        "tables of pandas with any byte of theirs changed",
        "unit/test_codec_tables.py",
        "a_damaged_table_is_a_value_or_a_wire_error",
    ),
    _of(
        "zips and tar files with any damage, and with the checksums that belong to it",
        "fuzz/test_damage.py",
        "any_field_of_a_tar_files_headers_may_hold_anything",
        "damaged_archives_are_read_or_refused",
    ),
    _of(
        "answers, copies and cells' results that are forged below Python",
        "unit/test_session_sandboxed.py",
        "a_cell_that_forges_its_own_result_does_not_stop_the_grading",
        "a_forged_answer_is_the_students_failure_within_the_deadline",
        "a_forged_value_is_only_a_value",
        "a_main_process_that_lies_about_its_copies_gains_nothing",
        "descriptors_sent_over_the_socket_do_not_arrive",
    ),
    _of(
        "values that lie about their class, never end, or belong to another check",
        "unit/test_agent_values.py",
        "a_proxy_of_another_check_is_refused",
        "an_endless_iterator_loses_nothing_on_the_way",
        "an_object_that_lies_about_its_class_costs_nothing",
        "endless_recursion_is_an_exception",
    ),
    _of(
        "processes that sleep, spin and starve themselves to look innocent of a time-out",
        "unit/test_session_busy.py",
        "nobody_can_pretend_to_be_starved",
        "the_calls_of_a_check_share_its_limit",
    ),
    _of(
        "NaN, infinities, broadcasting, wrong signs, factors and transposes",
        "unit/test_checks_closeness.py",
        "a_single_nan_or_infinity_fails_wherever_it_is",
        "broadcasting_never_hides_a_wrong_shape",
        "nan_fails_under_any_tolerance",
        "squeeze_never_takes_a_column_for_a_row",
        "whatever_a_student_returns_is_judged_and_breaks_nothing",
        "wrong_sign_factor_missing_term_or_batch_mean_fails",
    ),
    _of(
        "gradients that are wrong, not finite, or move the point that they are taken at",
        "unit/test_checks_gradients.py",
        "each_wrong_gradient_fails",
        "the_loss_is_called_four_times_an_entry_and_cannot_move_the_point",
        "what_is_not_finite_never_passes",
    ),
    _of(
        "checkpoints with code in them, or with gigabytes",
        "unit/test_checks_checkpoints.py",
        "a_large_file_is_refused_before_it_is_read",
        "everything_else_is_refused_in_words",
    ),
    _of(
        "wrong solutions of HW3, one mistake at a time",
        "contract/test_hw3_checks.py",
        "a_mistake_costs_the_checks_it_touches_and_no_others",
        "every_hidden_check_fails_for_some_mistake_other_than_doing_nothing",
    ),
    _of(
        "text on which a pattern or a reader takes more than linear time",
        "unit/test_patterns_take_linear_time.py",
        "twice_the_text_takes_at_most_about_twice_the_time",
        "the_measurement_sees_a_quadratic_pattern_and_a_cubic_one",
    ),
    _of(
        "written answers and cells that take long to read",
        "unit/test_notebooks_answers.py",
        "a_recording_of_no_item_is_one_line_that_does_not_repeat_its_name",
        "an_endless_answer_is_cut_and_says_so",
        "long_hostile_text_takes_no_time",
        "what_the_template_says_is_nobody_s_answer",
    ),
    _of(
        "links, pipes, odd numbers and damaged files in place of a notebook",
        "unit/test_notebooks_submission_file.py",
        "huge_and_odd_numbers_and_duplicate_keys_do_no_harm",
        "other_kinds_of_picture_are_never_taken",
        "pipe_does_not_wait_for_its_other_end",
        "symlink_is_not_followed",
        "symlink_put_there_after_the_first_look_is_not_followed",
        "too_big_says_the_limit_and_reads_nothing",
    ),
    _of(
        "pictures that claim another size, or are none",
        "unit/test_notebooks_figures.py",
        "a_wrong_checksum",
        "damage_is_refused_or_harmless",
        "size_is_checked_before_base64_is_decoded",
    ),
    _of(
        "zips with links, devices, two of a name, bombs, and damage in every byte",
        "unit/test_handed_in_collect.py",
        "a_bomb_is_refused_before_it_takes_memory_or_disk",
        "a_hostile_member_is_one_line_and_the_others_are_found",
        "any_metadata_is_read_without_an_error",
        "damage_anywhere_in_a_zip_is_reported_in_lines",
        "names_that_look_alike_are_told_apart",
        "nobody_hands_in_for_others_by_the_names_in_their_folder_or_zip",
        "two_members_of_one_name_are_both_refused",
        "zips_in_zips_end_somewhere",
    ),
    _of(
        "tar files and folders of the same kind, and the digest of what they hold",
        "unit/test_handed_in_packages.py",
        "a_helper_that_is_a_link_is_not_followed",
        "a_name_that_means_trouble_is_one_line",
        "a_package_travels_as_bytes_and_never_chooses_a_path",
        "a_tar_bomb_is_refused",
        "an_assignments_own_files_never_come_along",
        "damage_anywhere_in_a_tar_file_is_one_line",
        "other_students_files_never_come_along",
        "the_digest_covers_names_and_endings_and_a_lone_notebook_keeps_its_own",
        "what_leads_out_of_a_tar_file_or_is_no_file_is_refused",
    ),
    _of(
        "file names that are another student's on Canvas, Moodle, Blackboard, Brightspace or Gradescope",
        "unit/test_handed_in_names_of_others.py",
        "a_file_named_like_anothers_stays_with_its_owner",
        "in_a_download_a_file_named_like_anothers_moves_to_nobody",
    ),
    _of(
        "Markdown with scripts, forms, links and markup without end",
        "unit/test_reports_prose.py",
        "any_mixture_of_markup_is_inert",
        "hostile_markdown_leaves_plain_tags_without_attributes",
        "hostile_prose_takes_bounded_time",
    ),
    _of(
        "foreign words in every field of a page, a terminal, a table or JUnit",
        "unit/test_reports_foreign_words.py",
        "no_word_in_junit_is_more_than_a_word",
        "no_word_in_a_table_is_more_than_a_word",
        "no_word_on_a_terminal_is_more_than_a_word",
    ),
    _of(
        "values that break a check, so that its author seems to be at fault",
        "e2e/test_whose_fault.py",
        "a_value_that_breaks_the_check_is_the_students",
        "nan_on_both_sides_is_the_students",
        "nothing_of_the_submission_runs_beside_the_reference",
        "the_time_of_the_submission_as_a_whole_is_no_doubt_about_the_machine",
    ),
    _of(
        "work of ours that costs memory or time without end",
        "unit/test_grading_own_process.py",
        "memory_is_bounded_and_the_process_that_asked_lives_on",
    ),
    _of(
        "endless, sleeping and printing checks, memory and large answers among honest submissions",
        "e2e/test_one_hostile_of_many.py",
        "a_batch_takes_no_longer_than_one_submission_may",
    ),
)
"""By what they try."""
