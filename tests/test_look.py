import numpy as np
import pytest

from autoencoder.data import Digits
from autoencoder.look import likeness, slant, thickness


def bar(width, lean=0.0):
    """A bar of 20 rows that leans to the right by `lean` columns a row upward."""
    image = np.zeros((28, 28), np.float32)
    for row in range(4, 24):
        left = 10 + round(lean * (24 - row))
        image[row, left : left + width] = 1
    return image


def test_thickness_is_a_bar_s_pixels_to_those_at_its_edge():
    assert thickness(np.stack([bar(1), bar(2)])).tolist() == [1, 1]  # each pixel is at an edge
    # Of 4 x 20 pixels 2 x 18 are inside.
    assert thickness(bar(4)[None])[0] == pytest.approx(80 / 44)


def test_slant_is_columns_a_row_upward():
    assert slant(np.stack([bar(3), bar(3, 0.5), bar(3, -0.25)])) == pytest.approx([0, 0.5, -0.25], abs=0.02)


def test_a_blank_image_has_no_thickness_and_no_slant():
    blank = np.zeros((1, 28, 28), np.float32)
    assert thickness(blank).tolist() == [0]
    assert slant(blank).tolist() == [0]


def test_look_is_the_mean_squared_difference_of_a_pixel():
    images = np.zeros((3, 28, 28), np.float32)
    images[1, 0, 0] = 1
    gallery = Digits("three", images, np.zeros(3, np.uint8), "")
    query = np.zeros((1, 28, 28), np.float32)
    found = likeness(query, np.zeros(1, np.uint8), gallery, np.array([[0, 1]]))
    assert found["look"] == pytest.approx(1 / 784 / 2)  # of two neighbors one differs, in one pixel
    assert found["thickness"] is None  # one query is nothing to correlate


def test_thickness_is_compared_within_a_digit():
    # The 1s are thin and the 8s bold; within each the neighbor of the thinner is the bolder.
    images = np.stack([bar(3), bar(4), bar(9), bar(10)])
    gallery = Digits("bars", images, np.array([1, 1, 8, 8], np.uint8), "")
    own, other = np.array([[0], [1], [2], [3]]), np.array([[1], [0], [3], [2]])
    assert likeness(images, gallery.labels, gallery, own)["thickness"] == pytest.approx(1)
    assert likeness(images, gallery.labels, gallery, other)["thickness"] == pytest.approx(-1)
