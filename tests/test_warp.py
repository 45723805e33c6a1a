import numpy as np
import pytest
import tensorflow as tf

from autoencoder.build.warp import WarpStrength, add_noise, random_warp, resample

STILL = WarpStrength(rotation=0, shear=0, log_scale=0, shift_px=0, thickness=0)


def own_positions(height=28, width=28):
    rows, columns = np.meshgrid(np.arange(height), np.arange(width), indexing="ij")
    return np.stack([rows, columns], -1)[None].astype(np.float32)


def test_a_warp_of_no_strength_changes_nothing(bundled):
    digits = bundled.images[:8]
    np.testing.assert_allclose(random_warp(digits, STILL, seed=[0, 0]), digits, atol=1e-5)


def test_the_same_seed_gives_the_same_warps_and_another_seed_others(bundled):
    digits = bundled.images[:8]
    first = random_warp(digits, seed=[1, 2]).numpy()
    np.testing.assert_array_equal(first, random_warp(digits, seed=[1, 2]))
    assert np.abs(first - random_warp(digits, seed=[1, 3])).max() > 0.1


def test_each_image_has_its_own_warp(bundled):
    twice = np.repeat(bundled.images[:1], 2, axis=0)
    first, second = random_warp(twice, seed=[0, 0]).numpy()
    assert np.abs(first - second).max() > 0.1


def test_warped_digits_stay_in_range(bundled):
    warped = random_warp(bundled.images[:200], seed=[0, 0]).numpy()
    assert warped.shape == (200, 28, 28)
    assert warped.min() >= 0
    assert warped.max() <= 1
    assert np.isfinite(warped).all()


def test_reading_one_column_further_right_moves_the_image_one_pixel_left():
    image = np.zeros((1, 28, 28), np.float32)
    image[0, 5, 10] = 1
    moved = resample(image, own_positions() + np.float32([0, 1])).numpy()
    assert np.argwhere(moved[0] == 1).tolist() == [[5, 9]]


def test_between_two_pixels_the_mean_is_read():
    image = np.zeros((1, 28, 28), np.float32)
    image[0, 5, 10] = 1
    moved = resample(image, own_positions() + np.float32([0.5, 0])).numpy()
    assert moved[0, 4:6, 10].tolist() == [0.5, 0.5]


@pytest.mark.parametrize("far", [-100, -1.5, 28, 100])
def test_there_is_no_ink_outside_the_frame(far):
    positions = np.full((1, 28, 28, 2), far, np.float32)
    assert resample(np.ones((1, 28, 28), np.float32), positions).numpy().max() == 0


def test_a_shift_moves_the_center_of_mass_by_that_much():
    image = np.zeros((500, 28, 28), np.float32)
    image[:, 13:15, 13:15] = 1
    strength = WarpStrength(rotation=0, shear=0, log_scale=0, shift_px=3, thickness=0)
    warped = random_warp(image, strength, seed=[0, 0]).numpy()
    rows = (warped.sum(axis=2) @ np.arange(28)) / warped.sum(axis=(1, 2)) - 13.5
    assert np.abs(rows).max() == pytest.approx(3, abs=0.1)
    assert rows.mean() == pytest.approx(0, abs=0.3)


def test_thickness_adds_and_takes_ink(bundled):
    digits = np.repeat(bundled.images[:1], 200, axis=0)
    strength = WarpStrength(rotation=0, shear=0, log_scale=0, shift_px=0, thickness=0.5)
    ink = tf.reduce_sum(random_warp(digits, strength, seed=[0, 0]), [1, 2]).numpy()
    assert ink.min() < 0.9 * digits[0].sum()
    assert ink.max() > 1.1 * digits[0].sum()


def test_half_of_the_digits_get_noise_of_a_strength_of_their_own():
    gray = np.full((2000, 28, 28), 0.5, np.float32)
    noisy = add_noise(gray, 0.1, seed=[0, 0]).numpy()
    deviations = noisy.std(axis=(1, 2))
    assert 0.45 < (deviations == 0).mean() < 0.55
    assert deviations.max() == pytest.approx(0.1, rel=0.1)
    assert np.median(deviations[deviations > 0]) == pytest.approx(0.05, rel=0.15)
    assert add_noise(gray, 5.0, seed=[0, 0]).numpy().max() == 1
