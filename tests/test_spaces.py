import numpy as np
import pytest
from sklearn import decomposition

from autoencoder.spaces import PCA, Latent, Pixels


def test_pixels_keep_their_row_by_row_order():
    image = np.zeros((1, 28, 28), np.float32)
    image[0, 1, 2] = 1
    assert np.flatnonzero(Pixels().transform(image)[0]).tolist() == [28 + 2]


def test_pca_is_that_of_scikit_learn_and_survives_saving(bundled, tmp_path):
    pca = PCA.fit(bundled.images, seed=0)
    pca.save(tmp_path)
    loaded = PCA.load(tmp_path)
    vectors = loaded.transform(bundled.images)
    theirs = decomposition.PCA(32, random_state=0).fit(bundled.images.reshape(-1, 784))
    np.testing.assert_allclose(vectors, theirs.transform(bundled.images.reshape(-1, 784)), atol=1e-3)
    assert vectors.shape == (1797, 32)


def test_pca_s_components_are_orthonormal(bundled):
    components = PCA.fit(bundled.images, seed=0).components
    np.testing.assert_allclose(components @ components.T, np.eye(32), atol=1e-4)


def test_an_image_in_the_span_of_the_components_comes_back(bundled):
    pca = PCA.fit(bundled.images, seed=0)
    image = pca.inverse_transform(np.ones((1, 32), np.float32))
    np.testing.assert_allclose(pca.inverse_transform(pca.transform(image)), image, atol=1e-4)


@pytest.mark.parametrize("n", [1, 999, 1000, 1001])
def test_the_latent_space_takes_any_number_of_images(n):
    halved = Latent(lambda images, training: images[:, 0] / 2, None)
    images = np.random.default_rng(0).random((n, 28, 28), np.float32)
    np.testing.assert_allclose(halved.transform(images), images[:, 0] / 2)


def test_without_a_decoder_nothing_is_decoded():
    with pytest.raises(ValueError, match="expected a decoder"):
        Latent(lambda images, training: images[:, 0], None).inverse_transform(np.zeros((1, 32), np.float32))
