"""Where two documents differ."""

from studio.pages.cache import Difference, differences


def test_lists_are_compared_by_the_names_of_their_items() -> None:
    old = {"Inputs": [{"InputName": "data", "Uri": "a"}, {"InputName": "code", "Uri": "x"}], "Same": 1}
    new = {"Inputs": [{"InputName": "data", "Uri": "b"}, {"InputName": "code", "Uri": "x"}], "Same": 1}
    assert list(differences(old, new)) == [Difference("Inputs[data].Uri", "a", "b")]


def test_what_only_one_has_is_a_difference() -> None:
    assert list(differences({"a": 1}, {"b": [1]})) == [Difference("a", 1, None), Difference("b", None, [1])]


def test_lists_of_other_lengths_differ_as_a_whole() -> None:
    assert list(differences({"a": [1, 2]}, {"a": [1]})) == [Difference("a", [1, 2], [1])]


def test_equal_documents_do_not_differ() -> None:
    assert list(differences({"a": [{"b": None}]}, {"a": [{"b": None}]})) == []
