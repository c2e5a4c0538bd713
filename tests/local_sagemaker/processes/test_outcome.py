"""Failure reasons in the service's words and length."""

import pytest

from local_sagemaker.processes.outcome import algorithm_error, client_error


@pytest.mark.parametrize("text", [None, "", "  \n"])
def test_without_words_the_log_is_the_place_to_look(text: str | None) -> None:
    assert algorithm_error(text, 1) == "AlgorithmError: See job logs for more information, exit code: 1"


def test_reasons_have_at_most_1024_characters_and_keep_the_exit_code() -> None:
    assert len(client_error("x" * 2000)) == 1024
    assert len(algorithm_error("x" * 2000, 137)) == 1024
    assert algorithm_error("x" * 2000, 137).endswith("x, exit code: 137")
