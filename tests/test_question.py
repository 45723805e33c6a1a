import base64
import contextlib
import io

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from autoencoder.data import unseen_part
from autoencoder.query.question import Drawing, GalleryDigit, Hint, Picture, Query, from_text

CROSS = Drawing.of([[[10, 20], [30, 40]], [[30, 20], [10, 40]]])


def test_each_kind_of_question_is_read_as_it_was_written(gallery):
    for question in (CROSS, GalleryDigit("digits", 907), Picture.of(gallery.images[3])):
        assert from_text(question.to_text()) == question


def test_a_picture_keeps_its_digit(gallery):
    np.testing.assert_array_equal(Picture.of(gallery.images[3]).digit, gallery.images[3])
    np.testing.assert_array_equal(Picture.of(gallery.images[3]).to_query(gallery).digit, gallery.images[3])


def test_an_address_needs_no_quoting(gallery):
    for question in (CROSS, Picture.of(gallery.images[0])):
        assert set(question.to_text()) <= set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._")
        assert len(question.to_text()) < 1000


def test_a_drawing_becomes_a_digit_or_a_hint(gallery):
    assert CROSS.to_query(gallery).digit.shape == (28, 28)
    assert CROSS.to_query(gallery).index is None
    for strokes, hint in (((), "blank"), ([[[5, 5]]], "Just a dot")):
        with pytest.raises(Hint, match=hint):
            Drawing.of(strokes).to_query(gallery)
    with pytest.raises(Hint, match="blank"):
        Drawing(()).to_shrunk_query()


def test_a_digit_of_the_gallery_has_its_index_and_label_or_a_hint(gallery):
    query = GalleryDigit(gallery.name, 7).to_query(gallery)
    assert (query.index, query.label) == (7, gallery.label(7))
    for other in (GalleryDigit(gallery.name, len(gallery)), GalleryDigit("another", 7)):
        with pytest.raises(Hint, match="not in this gallery"):
            other.to_query(gallery)


def test_a_random_digit_has_the_label_that_is_wanted_and_is_another(bundled):
    rng = np.random.default_rng(0)
    for _ in range(20):
        assert bundled.label(GalleryDigit.at_random(bundled, label=7, rng=rng).index) == 7
    one = bundled.images[:1], bundled.labels[:1]
    two = bundled.images[:2], bundled.labels[:2]
    few = {n: type(bundled)("few", *arrays, "") for n, arrays in ((1, one), (2, two))}
    for _ in range(5):
        before = GalleryDigit("few", 0)
        assert GalleryDigit.at_random(few[2], label=None, other_than=before, rng=rng).index == 1
        assert GalleryDigit.at_random(few[1], label=None, other_than=before, rng=rng).index == 0  # there is no other


def test_a_label_that_a_gallery_lacks_is_refused(bundled):
    with pytest.raises(ValueError, match="expected a label of"):
        GalleryDigit.at_random(bundled, label=10, rng=np.random.default_rng(0))


@pytest.mark.mnist
def test_a_query_has_no_index_in_a_part_that_it_does_not_belong_to(gallery):
    part = unseen_part(gallery)
    assert Query(gallery.images[54_321], 54_321, gallery.label(54_321)).within(part).index is None
    assert Query(gallery.images[5], 5, gallery.label(5)).within(part).index == 5


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


def test_a_picture_of_another_size_is_refused():
    png = io.BytesIO()
    Image.new("L", (28, 20)).save(png, "PNG")
    with pytest.raises(ValueError, match="expected a digit"):
        from_text(f"png-{base64.urlsafe_b64encode(png.getvalue()).decode().rstrip('=')}")


@given(st.sampled_from(["strokes-", "png-", "mnist-", ""]), st.text(max_size=50))
def test_hostile_texts_are_read_or_refused(kind, text):
    with contextlib.suppress(ValueError):
        from_text(kind + text)
