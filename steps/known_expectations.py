"""The names and arguments of Great Expectations' expectations, so that a slip is found before anything runs.

A test compares the table with the library. `row_condition` and `condition_parser` are left out on purpose: what is
expected of some rows only is said by a derived value. Imports no library.
"""

from __future__ import annotations

from collections.abc import Mapping

from steps.failure import did_you_mean, listed

# name -> its arguments, those that it must have with a star
ROWS = {
    "expect_column_pair_values_a_to_be_greater_than_b": "column_A* column_B* mostly or_equal ignore_row_if",
    "expect_column_pair_values_to_be_equal": "column_A* column_B* mostly ignore_row_if",
    "expect_column_pair_values_to_be_in_set": "column_A* column_B* mostly value_pairs_set* ignore_row_if",
    "expect_column_value_lengths_to_be_between": "column* mostly min_value max_value strict_min strict_max",
    "expect_column_value_lengths_to_equal": "column* mostly value*",
    "expect_column_value_z_scores_to_be_less_than": "column* mostly threshold* double_sided*",
    "expect_column_values_to_be_between": "column* mostly min_value max_value strict_min strict_max",
    "expect_column_values_to_be_dateutil_parseable": "column* mostly",
    "expect_column_values_to_be_decreasing": "column* mostly strictly",
    "expect_column_values_to_be_in_set": "column* mostly value_set*",
    "expect_column_values_to_be_in_type_list": "column* mostly type_list",
    "expect_column_values_to_be_increasing": "column* mostly strictly",
    "expect_column_values_to_be_json_parseable": "column* mostly",
    "expect_column_values_to_be_null": "column* mostly",
    "expect_column_values_to_be_of_type": "column* mostly type_*",
    "expect_column_values_to_be_unique": "column* mostly",
    "expect_column_values_to_match_json_schema": "column* mostly json_schema*",
    "expect_column_values_to_match_like_pattern": "column* mostly like_pattern* escape",
    "expect_column_values_to_match_like_pattern_list": "column* mostly like_pattern_list* match_on escape",
    "expect_column_values_to_match_regex": "column* mostly regex",
    "expect_column_values_to_match_regex_list": "column* mostly regex_list* match_on",
    "expect_column_values_to_match_strftime_format": "column* mostly strftime_format*",
    "expect_column_values_to_not_be_in_set": "column* mostly value_set*",
    "expect_column_values_to_not_be_null": "column* mostly",
    "expect_column_values_to_not_be_outliers": "column* mostly method multiplier",
    "expect_column_values_to_not_match_like_pattern": "column* mostly like_pattern* escape",
    "expect_column_values_to_not_match_like_pattern_list": "column* mostly like_pattern_list* escape",
    "expect_column_values_to_not_match_regex": "column* mostly regex*",
    "expect_column_values_to_not_match_regex_list": "column* mostly regex_list*",
    "expect_compound_columns_to_be_unique": "column_list* mostly ignore_row_if",
    "expect_multicolumn_sum_to_equal": "column_list* mostly ignore_row_if sum_total*",
    "expect_multicolumn_values_to_be_equal": "column_list* mostly ignore_row_if",
    "expect_select_column_values_to_be_unique_within_record": "column_list* mostly ignore_row_if",
}
TABLE = {
    "expect_column_distinct_values_to_be_in_set": "column* value_set*",
    "expect_column_distinct_values_to_contain_set": "column* value_set*",
    "expect_column_distinct_values_to_equal_set": "column* value_set*",
    "expect_column_kl_divergence_to_be_less_than": "column* partition_object threshold internal_weight_holdout "
    "tail_weight_holdout bucketize_data min_value max_value",
    "expect_column_max_to_be_between": "column* min_value max_value strict_min strict_max",
    "expect_column_mean_to_be_between": "column* min_value max_value strict_min strict_max",
    "expect_column_median_to_be_between": "column* min_value max_value strict_min strict_max",
    "expect_column_min_to_be_between": "column* min_value max_value strict_min strict_max",
    "expect_column_most_common_value_to_be_in_set": "column* value_set* ties_okay",
    "expect_column_proportion_of_non_null_values_to_be_between": "column* min_value max_value strict_min strict_max",
    "expect_column_proportion_of_unique_values_to_be_between": "column* min_value max_value strict_min strict_max",
    "expect_column_quantile_values_to_be_between": "column* quantile_ranges* allow_relative_error",
    "expect_column_stdev_to_be_between": "column* min_value max_value strict_min strict_max",
    "expect_column_sum_to_be_between": "column* min_value max_value strict_min strict_max",
    "expect_column_to_exist": "column* column_index",
    "expect_column_type_to_be": "column* type_*",
    "expect_column_unique_value_count_to_be_between": "column* min_value max_value strict_min strict_max",
    "expect_table_column_count_to_be_between": "min_value max_value",
    "expect_table_column_count_to_equal": "value*",
    "expect_table_columns_to_match_ordered_list": "column_list",
    "expect_table_columns_to_match_set": "column_set exact_match",
    "expect_table_row_count_to_be_between": "min_value max_value strict_min strict_max",
    "expect_table_row_count_to_equal": "value*",
}

# Of ROWS those that judge a row by others, or a column by its type; each other one needs nothing but the row.
BESIDE_OTHERS = (
    "expect_column_value_z_scores_to_be_less_than",
    "expect_column_values_to_be_decreasing",
    "expect_column_values_to_be_in_type_list",
    "expect_column_values_to_be_increasing",
    "expect_column_values_to_be_of_type",
    "expect_column_values_to_be_unique",
    "expect_column_values_to_not_be_outliers",
    "expect_compound_columns_to_be_unique",
)


def judges_single_rows(name: str) -> bool:
    """Whether an expectation says the same of a row whatever other rows there are."""
    return name in ROWS and name not in BESIDE_OTHERS


def check_expectation(name: str, arguments: Mapping[str, object]) -> None:
    """Raise ValueError, in one sentence, for a name or an argument that Great Expectations does not have."""
    known = {**ROWS, **TABLE}
    if name not in known:
        raise ValueError(f"{name} is not an expectation of Great Expectations{did_you_mean(name, known)}.")
    words = known[name].split()
    names = [word.rstrip("*") for word in words]
    for argument in arguments:
        if argument not in names:
            hint = did_you_mean(argument, names) or f"; it has {listed(names)}."
            raise ValueError(f"{name} has no argument {argument}{hint}")
    missing = [word.rstrip("*") for word in words if word.endswith("*") and word.rstrip("*") not in arguments]
    if missing:
        raise ValueError(f"{name} lacks the argument {listed(missing)}.")


def check_level(name: str, level: str) -> None:
    """Raise ValueError for an expectation of the table under validation.rows, which can reject no row."""
    if level == "rows" and name in TABLE:
        raise ValueError(f"{name} judges the whole table, not single rows: put it under validation.table.")
