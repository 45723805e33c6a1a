"""Random views of a digit: the same digit as another hand might have written it.

A warp joins an affine map (rotation, scale, shear, shift) and a thicker or thinner stroke. The map is one bilinear
resampling, so that a view stays as sharp as its original: Keras' own layers would resample once each.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import tensorflow as tf


@dataclass(frozen=True)
class WarpStrength:
    """How far a random warp may go. Angles in radians, lengths in pixels of the 28 x 28 grid."""

    rotation: float = 0.3  # uniform in ± this: 17 degrees
    shear: float = 0.4  # uniform in ± this
    log_scale: float = 0.25  # uniform in ± this, each axis by itself
    shift_px: float = 2.0  # uniform in ± this, each axis by itself
    thickness: float = 0.7  # uniform in ± this: 1 dilates, -1 erodes by one pixel


DEFAULT_STRENGTH = WarpStrength()


def random_warp(
    images: tf.Tensor, strength: WarpStrength = DEFAULT_STRENGTH, *, seed: tf.Tensor | Sequence[int]
) -> tf.Tensor:
    """Warped copies of a batch, each image by its own random warp.

    Args:
        images: float32 (n, 28, 28) in [0, 1], ink bright.
        strength: the ranges that the warps are drawn from.
        seed: int32 (2,), as `tf.random.stateless_uniform` takes it; the same seed gives the same warps.

    Returns:
        float32 (n, 28, 28) in [0, 1].
    """
    seeds = tf.unstack(tf.random.split(seed, 2))  # two of (2,)
    thickened = _change_thickness(images, strength, seeds[0])  # (n, 28, 28)
    matrices, shifts = _random_affine(tf.shape(images)[0], strength, seeds[1])  # (n, 2, 2) and (n, 2)
    return resample(thickened, _affine_grid(images, matrices, shifts))


def add_noise(images: tf.Tensor, most: float, *, seed: tf.Tensor | Sequence[int]) -> tf.Tensor:
    """Images float32 (n, 28, 28) in [0, 1] with Gaussian noise, cut off to [0, 1]; half of them as they are.

    The noise of the others has a standard deviation of its own each, uniform from 0 to `most`. The `seed` is that of
    `random_warp`.
    """
    seeds = tf.unstack(tf.random.split(seed, 2))
    uniform = tf.random.stateless_uniform([tf.shape(images)[0], 1, 1], seeds[0], -1, 1)  # (n, 1, 1)
    deviations = most * tf.nn.relu(uniform)  # (n, 1, 1), 0 for half of them
    noise = tf.random.stateless_normal(tf.shape(images), seeds[1])  # (n, 28, 28)
    return tf.clip_by_value(images + deviations * noise, 0, 1)


def resample(images: tf.Tensor, positions: tf.Tensor) -> tf.Tensor:
    """Images read at other positions, bilinearly; outside the frame there is no ink.

    Args:
        images: float32 (n, h, w).
        positions: float32 (n, h, w, 2), the (row, column) to read for each output pixel.

    Returns:
        float32 (n, h, w). With `positions[i, r, c] = (r, c + 1)` the image moves one pixel to the left.
    """
    n, height, width = tf.unstack(tf.shape(images))
    padded = tf.pad(images, [[0, 0], [1, 2], [1, 2]])  # (n, h + 3, w + 3): a border of no ink catches what is outside
    flat, stride = tf.reshape(padded, [-1]), width + 3  # (n · (h + 3) · (w + 3),)
    rows = tf.clip_by_value(positions[..., 0] + 1, 0, tf.cast(height + 1, tf.float32))  # (n, h, w), as are all below
    columns = tf.clip_by_value(positions[..., 1] + 1, 0, tf.cast(width + 1, tf.float32))
    top, left = tf.floor(rows), tf.floor(columns)
    down, right = rows - top, columns - left  # in [0, 1)
    row_starts = (tf.range(n)[:, None, None] * (height + 3) + tf.cast(top, tf.int32)) * stride
    first = row_starts + tf.cast(left, tf.int32)  # where the upper left one of the four pixels stands in `flat`
    upper = tf.gather(flat, first) * (1 - right) + tf.gather(flat, first + 1) * right
    lower = tf.gather(flat, first + stride) * (1 - right) + tf.gather(flat, first + stride + 1) * right
    return upper * (1 - down) + lower * down


def _random_affine(n: tf.Tensor, strength: WarpStrength, seed: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """Linear maps float32 (n, 2, 2) and shifts float32 (n, 2) from output to input pixels, in (row, column) order."""
    uniform = tf.random.stateless_uniform([6, n], seed, -1, 1)  # (6, n)
    angle = uniform[0] * strength.rotation  # (n,)
    shear = uniform[1] * strength.shear  # (n,)
    row_scale = tf.exp(uniform[2] * strength.log_scale)  # (n,)
    column_scale = tf.exp(uniform[3] * strength.log_scale)  # (n,)
    shifts = tf.transpose(uniform[4:6]) * strength.shift_px  # (n, 2)
    cos, sin, zero = tf.cos(angle), tf.sin(angle), tf.zeros_like(shear)  # (n,) each
    rotation = tf.stack([tf.stack([cos, -sin], -1), tf.stack([sin, cos], -1)], -2)  # (n, 2, 2)
    shear_and_scale = tf.stack([tf.stack([row_scale, zero], -1), tf.stack([shear, column_scale], -1)], -2)  # (n, 2, 2)
    return rotation @ shear_and_scale, shifts


def _affine_grid(images: tf.Tensor, matrices: tf.Tensor, shifts: tf.Tensor) -> tf.Tensor:
    """The positions float32 (n, h, w, 2) that an affine map about the frame's center reads."""
    height, width = images.shape[1:]
    rows, columns = tf.meshgrid(tf.range(height, dtype=tf.float32), tf.range(width, dtype=tf.float32), indexing="ij")
    center = tf.constant([(height - 1) / 2, (width - 1) / 2], tf.float32)  # (2,)
    grid = tf.reshape(tf.stack([rows, columns], -1), [1, height * width, 2]) - center  # (1, h · w, 2)
    moved = tf.matmul(grid, matrices, transpose_b=True) + shifts[:, None] + center  # (n, h · w, 2)
    return tf.reshape(moved, [-1, height, width, 2])


def _change_thickness(images: tf.Tensor, strength: WarpStrength, seed: tf.Tensor) -> tf.Tensor:
    """Images with strokes dilated (amount > 0) or eroded (amount < 0) by a random part of a pixel."""
    stacked = images[..., None]  # (n, 28, 28, 1), as are dilated, eroded and changed
    uniform = tf.random.stateless_uniform([tf.shape(images)[0], 1, 1, 1], seed, -1, 1)  # (n, 1, 1, 1)
    amount = strength.thickness * uniform  # (n, 1, 1, 1)
    dilated = tf.nn.max_pool2d(stacked, 3, 1, "SAME")
    eroded = -tf.nn.max_pool2d(-stacked, 3, 1, "SAME")
    changed = stacked + tf.nn.relu(amount) * (dilated - stacked) + tf.nn.relu(-amount) * (eroded - stacked)
    return changed[..., 0]  # (n, 28, 28)
