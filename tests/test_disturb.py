import numpy as np
import pytest

from autoencoder.disturb import add_noise, add_stroke, shift


def test_a_shift_moves_the_ink_and_loses_what_leaves_the_frame():
    digit = np.zeros((28, 28), np.float32)
    digit[3, 25] = 1
    assert np.argwhere(shift(digit, 2)).tolist() == [[3, 27]]
    assert np.argwhere(shift(digit, -8)).tolist() == [[3, 17]]
    assert not shift(digit, 3).any()


def test_a_stray_stroke_is_as_long_as_asked(bundled):
    blank = np.zeros((28, 28), np.float32)
    assert not add_stroke(blank, 0).any()
    assert add_stroke(blank, 0.5).sum() == pytest.approx(0.5 * 24 * 2, rel=0.05)
    assert (add_stroke(bundled.images[0], 1) >= bundled.images[0]).all()


def test_noise_is_as_strong_as_asked_and_stays_in_range():
    gray = np.full((28, 28), 0.5, np.float32)
    assert add_noise(gray, 0.1).std() == pytest.approx(0.1, rel=0.1)
    np.testing.assert_array_equal(add_noise(gray, 0), gray)
    assert add_noise(gray, 5).min() == 0
