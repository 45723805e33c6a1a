import keras
import numpy as np
import pytest
import tensorflow as tf

from autoencoder.build.model import (
    ContentAndPose,
    absorb,
    agreement,
    build_decoder,
    build_encoder,
    content,
    look_map,
    mse,
    whitening,
)
from autoencoder.build.warp import WarpStrength


@pytest.fixture(scope="module")
def pair():
    keras.utils.set_random_seed(0)
    return build_encoder(), build_decoder()


def test_images_become_32_numbers_and_images_again(pair, bundled):
    encoder, decoder = pair
    latents = encoder(bundled.images[:5])
    images = decoder(latents)
    assert latents.shape == (5, 32)
    assert images.shape == (5, 28, 28)
    assert 0 <= images.numpy().min() <= images.numpy().max() <= 1


def test_the_latent_is_linear_and_so_may_be_negative(pair, bundled):
    encoder, _ = pair
    assert encoder.get_layer("latents").activation is keras.activations.linear
    assert encoder(bundled.images[:50]).numpy().min() < 0


def test_content_is_the_first_24_numbers():
    latents = np.arange(64.0).reshape(2, 32)
    assert content(latents)[1].tolist() == list(range(32, 56))


def test_mse_is_a_pixel_s():
    assert mse(tf.ones((2, 28, 28)), tf.zeros((2, 28, 28))).numpy() == 1


def test_agreement_of_two_pairs_worked_by_hand():
    a, b = tf.constant([[0.0], [1.0]]), tf.constant([[0.0], [2.0]])
    # Squared distances [[0, 4], [1, 1]], so odds [[1, 1/5], [1/2, 1/2]]: own shares 5/6 and 1/2 a row, 2/3 and 5/7 a
    # column.
    there = (np.log(6 / 5) + np.log(2)) / 2
    back = (np.log(3 / 2) + np.log(7 / 5)) / 2
    assert agreement(a, b).numpy() == pytest.approx((there + back) / 2, rel=1e-5)


def test_agreement_is_better_the_nearer_the_pairs():
    a = tf.constant(np.random.default_rng(0).normal(size=(30, 24)).astype(np.float32))
    assert agreement(a, a) < agreement(a, 0.5 * a) < agreement(a, tf.reverse(a, [0]))


def test_the_loss_is_the_sum_of_its_two_terms(bundled):
    keras.utils.set_random_seed(0)
    still = WarpStrength(rotation=0, shear=0, log_scale=0, shift_px=0, thickness=0)
    model = ContentAndPose(build_encoder(), build_decoder(), seed=0, agreement_weight=5, strength=still, most_noise=0.0)
    x = bundled.images[:16]
    z = model.encoder(np.concatenate([x, x]), training=True)[:16]  # with no warp, both views are x itself
    decoded = model.decoder(z, training=True)
    model((x, x[:, None]), training=True)
    terms = [float(loss) for loss in model.losses]
    expected = [mse(decoded, x), 5 * agreement(content(z), content(z))]
    np.testing.assert_allclose(terms, [float(term) for term in expected], rtol=1e-3)
    model(x)
    assert len(model.losses) == 0


def test_one_of_the_partners_is_warped(bundled):
    keras.utils.set_random_seed(0)
    still = WarpStrength(rotation=0, shear=0, log_scale=0, shift_px=0, thickness=0)
    model = ContentAndPose(build_encoder(), build_decoder(), seed=0, strength=still, most_noise=0.0)
    x, others = bundled.images[:64], np.stack([bundled.images[64:128], bundled.images[128:192]], axis=1)
    seen = []
    model.encoder = lambda images, training: seen.append(images.numpy()) or build_encoder()(images)
    model((x, others), training=True)
    partners = seen[0][64:]
    taken = np.abs(partners[:, None] - others).max(axis=(2, 3)) < 1e-5
    assert taken.sum(axis=1).tolist() == [1] * 64
    assert 10 < taken[:, 0].sum() < 54  # either of them, by chance


def test_whitened_latents_differ_equally_in_every_direction(bundled):
    keras.utils.set_random_seed(1)
    encoder = build_encoder()
    images, others = bundled.images[:400], bundled.images[400:800]
    before = encoder(images).numpy()
    matrix = whitening(encoder(others).numpy() - before)
    absorb(encoder, matrix)
    np.testing.assert_allclose(encoder(images).numpy(), before @ matrix, atol=0.05)
    differences = encoder(others).numpy() - encoder(images).numpy()
    np.testing.assert_allclose(differences.T @ differences / 400, np.eye(32), atol=0.02)


def test_the_look_map_adds_the_distance_between_pixels_that_the_latents_tell():
    rng = np.random.default_rng(0)
    latents = rng.normal(size=(500, 32)).astype(np.float32)
    told = rng.normal(size=(32, 784)).astype(np.float32) / 100
    images = (latents @ told + 0.5).reshape(-1, 28, 28)  # pixels are a linear function of the latents, and no more
    mapped = latents @ look_map(latents, images, weight=2)
    expected = np.square(latents[0] - latents[1]).sum() + 4 * np.square(images[0] - images[1]).sum()
    assert np.square(mapped[0] - mapped[1]).sum() == pytest.approx(expected, rel=1e-3)


def test_the_look_map_is_nothing_without_weight():
    rng = np.random.default_rng(0)
    latents, images = rng.normal(size=(100, 32)), rng.uniform(size=(100, 28, 28))
    np.testing.assert_allclose(look_map(latents, images, weight=0), np.eye(32), atol=1e-6)
