import pytest

from autoencoder.data import NO_DIGIT
from autoencoder.query.verdict import FINE, FOUND, GOOD, POOR, UNLIKE, judge, named, several


@pytest.mark.parametrize(
    ("labels", "level"),
    [
        ([3, 3, 3, 3], GOOD),
        ([3, 2, 3, 3], FINE),
        ([3, 3, 1, 7], POOR),
        ([2, 2, 2, 2], POOR),
        ([3], GOOD),
        ([3, 2], POOR),  # of two or three, one is more than a quarter
        ([3, 3, 2], POOR),
        ([3] * 15 + [5] * 5, FINE),
        ([3] * 14 + [5] * 6, POOR),
    ],
)
def test_of_a_known_digit_one_in_four_may_be_odd(labels, level):
    verdict = judge(labels, digit=3)
    assert (verdict.level, verdict.digit) == (level, 3)


@pytest.mark.parametrize("labels", [[3, 3, 3, 3], [3, 3, 2, 3], [3, 1, 3, 7], [3], [3, 2]])
def test_what_nobody_knows_is_not_graded(labels):
    verdict = judge(labels)
    assert verdict.level == FOUND
    assert not any(word in verdict.sentence for word in ("Good", "Fine", "standard"))


def test_of_two_equally_frequent_digits_the_nearer_counts():
    assert judge([7, 1, 1, 7]).digit == 7


@pytest.mark.parametrize(
    ("labels", "digit", "sentence"),
    [
        ([3, 3, 3, 3], 3, "Good: all 4 look-alikes are 3s, as the query is."),
        ([8], 8, "Good: the look-alike is an 8, as the query is."),
        ([3, 3, 2, 3], 3, "Fine: 3 of 4 are 3s, as the query is; one is a 2."),
        ([3] * 9 + [2, 2, 8], 3, "Fine: 9 of 12 are 3s, as the query is; 2 are 2s and one is an 8."),
        ([2, 2, 2, 2], 3, "Missed: the query is a 3, but 4 of 4 look-alikes are not."),
        ([3, 3, 3, 3], None, "All 4 look-alikes are 3s."),
        ([3, 3], None, "Both look-alikes are 3s."),
        ([5], None, "The nearest look-alike is a 5."),
        ([2, 2, 7, 2], None, "3 of 4 are 2s, one is a 7."),
        ([2] * 9 + [7, 7, 8], None, "9 of 12 are 2s, 2 are 7s and one is an 8."),
        ([3, 1, 3, 7], None, "The look-alikes disagree: 2 are 3s, one is a 1 and one is a 7."),
        ([3, 2], None, "The look-alikes disagree: one is a 2 and one is a 3."),
    ],
)
def test_the_sentence_names_the_digits(labels, digit, sentence):
    assert judge(labels, digit=digit).sentence == sentence


def test_a_drawing_unlike_all_digits_is_called_so_whatever_its_neighbors_are():
    verdict = judge([3, 3, 3, 3], unlike=True)
    assert (verdict.level, verdict.digit) == (UNLIKE, 3)
    assert verdict.sentence == "Nothing here looks like this."
    verdict = judge([3, 3, 3, 3], unlike=True, badly_redrawn=True)
    assert verdict.sentence == "Nothing here looks like this, and the model cannot redraw it."


def test_two_shapes_are_named():
    assert "two shapes" in judge([1, 1, 1, 1], unlike=True, two_shapes=True).sentence


@pytest.mark.parametrize("labels", [[6, 6, 6, 6], [6, 6, 6, 0], [0, 0, 0, 0], [None]])
def test_a_digit_that_is_known_is_unusual_at_most(labels):
    verdict = judge(labels, digit=6, unlike=True, two_shapes=True)
    assert verdict.level != UNLIKE
    assert verdict.sentence.startswith("This is an unusual 6. ")


def test_neighbors_without_labels_count_for_nothing():
    assert judge([3, None, 3, 3]).sentence == "All 3 look-alikes are 3s."
    assert judge([None, 3], digit=3).level == GOOD


@pytest.mark.parametrize("digit", [None, 3])
def test_without_any_label_the_verdict_is_left_to_the_visitor(digit):
    assert judge([None] * 4, digit=digit).sentence == "The look-alikes have no labels: judge for yourself."
    assert named(None) == "no label"


@pytest.mark.parametrize(
    ("labels", "digit", "sentence"),
    [
        ([NO_DIGIT] * 4, None, "All 4 look-alikes are no digits."),
        ([NO_DIGIT], None, "The nearest look-alike is no digit."),
        ([3, NO_DIGIT, 3, 3], None, "3 of 4 are 3s, one is no digit."),
        ([NO_DIGIT, NO_DIGIT, 3, NO_DIGIT], None, "3 of 4 are no digits, one is a 3."),
        ([3, 3, NO_DIGIT, NO_DIGIT], None, "The look-alikes disagree: 2 are 3s and 2 are no digits."),
        ([3, 3, NO_DIGIT, 3], 3, "Fine: 3 of 4 are 3s, as the query is; one is no digit."),
        ([NO_DIGIT] * 4, 3, "Missed: the query is a 3, but 4 of 4 look-alikes are not."),
        ([NO_DIGIT] * 4, NO_DIGIT, "Good: all 4 look-alikes are no digits, as the query is."),
        ([3] * 4, NO_DIGIT, "Missed: the query is no digit, but 4 of 4 look-alikes are not."),
    ],
)
def test_what_is_no_digit_is_named_so(labels, digit, sentence):
    assert judge(labels, digit=digit).sentence == sentence


def test_of_what_is_no_digit_it_is_right_that_nothing_looks_like_it():
    verdict = judge([3, 3, 3, 3], digit=NO_DIGIT, unlike=True)
    assert (verdict.level, verdict.digit) == (UNLIKE, NO_DIGIT)
    assert verdict.sentence == "Nothing here looks like this."


def test_the_majority_may_be_no_digit():
    assert judge([3, NO_DIGIT, NO_DIGIT, 5]).digit == NO_DIGIT
    assert judge([None, NO_DIGIT]).digit == NO_DIGIT


def test_no_digit_has_no_article_and_no_mark():
    assert (named(NO_DIGIT), named(NO_DIGIT, "**"), named(8, "**")) == ("no digit", "no digit", "an **8**")
    assert (several(NO_DIGIT), several(8)) == ("no digits", "8s")
