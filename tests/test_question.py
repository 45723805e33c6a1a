import contextlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from autoencoder.ui.address import CAMERA, DRAW, RANDOM, UPLOAD, from_text, to_text


def test_each_kind_of_question_is_read_as_it_was_written(gallery):
    source, strokes = from_text(to_text(DRAW, [np.array([[10, 20], [30, 40]]), np.array([[5, 5]])]))
    assert (source, [stroke.tolist() for stroke in strokes]) == (DRAW, [[[10, 20], [30, 40]], [[5, 5]]])
    assert from_text(to_text(RANDOM, ("digits", 907))) == (RANDOM, ("digits", 907))
    for kind in (UPLOAD, CAMERA):
        source, digit = from_text(to_text(kind, gallery.images[3]))
        assert source == UPLOAD
        np.testing.assert_array_equal(digit, gallery.images[3])


def test_an_address_needs_no_quoting(gallery):
    for text in (to_text(DRAW, [np.array([[10, 20], [30, 40]])]), to_text(UPLOAD, gallery.images[0])):
        assert set(text) <= set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._")
        assert len(text) < 1000


@pytest.mark.parametrize(
    "text",
    [
        *("", "7", "Other-1", "a b-1", "mnist-", "mnist--1", "mnist-1.5", "digits-²", "mnist-9999999999"),
        *("strokes-", "strokes-<script>", "png-", "png-AAAA", "png-AAA", "png-é", "png-" + "A" * 5000),
    ],
)
def test_what_this_page_never_writes_is_refused(text):
    with pytest.raises(ValueError, match="expected"):
        from_text(text)


def test_a_picture_of_another_size_is_refused(gallery):
    text = to_text(UPLOAD, gallery.images[0][:20])
    with pytest.raises(ValueError, match="expected a digit"):
        from_text(text)


@given(st.sampled_from(["strokes-", "png-", "mnist-", ""]), st.text(max_size=50))
def test_hostile_texts_are_read_or_refused(kind, text):
    with contextlib.suppress(ValueError):
        from_text(kind + text)
