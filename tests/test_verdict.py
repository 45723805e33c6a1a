import pytest

from autoencoder.verdict import FINE, GOOD, OPEN, POOR, UNLIKE, judge, named


@pytest.mark.parametrize(
    ("labels", "level"),
    [
        ([3, 3, 3, 3], GOOD),
        ([3, 2, 3, 3], FINE),
        ([3, 3, 1, 7], POOR),
        ([1, 2, 3, 4], POOR),
        ([3], FINE),  # it agrees with nobody but itself
        ([3, 2], POOR),  # of two or three, one is more than a quarter
        ([3, 3, 2], POOR),
        ([3] * 15 + [5] * 5, FINE),
        ([3] * 14 + [5] * 6, POOR),
    ],
)
def test_one_in_four_may_be_odd(labels, level):
    verdict = judge(labels)
    assert (verdict.level, verdict.digit) == (level, labels[0] if len(set(labels)) > 3 else 3)


def test_a_known_digit_is_what_the_neighbors_are_judged_by():
    assert judge([2, 2, 2, 2], digit=3).level == POOR
    assert judge([3, 3, 2, 3], digit=3).level == FINE


def test_of_two_equally_frequent_digits_the_nearer_counts():
    assert judge([7, 1, 1, 7]).digit == 7


@pytest.mark.parametrize(
    ("labels", "digit", "sentence"),
    [
        ([3, 3, 3, 3], 3, "Good: all 4 neighbors are 3s, as the query is."),
        ([3, 3, 3, 3], None, "Good: all 4 neighbors are 3s."),
        ([8], 8, "Good: the neighbor is an 8, as the query is."),
        ([3], 3, "Good: the neighbor is a 3, as the query is."),
        ([5], None, "The nearest is a 5; one neighbor alone says little."),
        ([3, 3, 2, 3], None, "Fine: 3 of 4 neighbors are 3s, one is a 2; 3 and 2 can look alike."),
        ([3] * 9 + [2, 2, 8], 3, "Fine: 9 of 12 neighbors are 3s, 2 are 2s and one is an 8; they can look alike."),
        ([2, 2, 2, 2], 3, "Not up to standard: the query is a 3, but 4 of 4 neighbors are not."),
        ([3, 1, 3, 7], None, "Not up to standard: the neighbors disagree: 2 are 3s, one is a 1 and one is a 7."),
        ([3, 2], None, "Not up to standard: the neighbors disagree: one is a 2 and one is a 3."),
    ],
)
def test_the_sentence_names_the_digits(labels, digit, sentence):
    assert judge(labels, digit=digit).sentence == sentence


def test_a_query_unlike_all_digits_is_called_so_whatever_its_neighbors_are():
    verdict = judge([3, 3, 3, 3], unlike=True)
    assert verdict.level == UNLIKE
    assert verdict.sentence.startswith("This looks like no digit here")


def test_neighbors_without_labels_count_for_nothing():
    assert judge([3, None, 3, 3]).sentence == "Good: all 3 neighbors are 3s."
    assert judge([None, 3], digit=3).level == GOOD


@pytest.mark.parametrize("digit", [None, 3])
def test_without_any_label_the_verdict_is_open(digit):
    assert judge([None] * 4, digit=digit).level == OPEN
    assert named(None) == "no label"
