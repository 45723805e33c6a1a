import numpy as np
import pytest

from autoencoder.data import Digits
from autoencoder.evaluate import evaluate, hits_at_4, reconstruction_mse, summarize
from autoencoder.spaces import PCA, Pixels


def line_of_digits(positions, labels):
    """Digits that are nothing but one pixel's brightness: in pixel space they lie on a line."""
    images = np.zeros((len(positions), 28, 28), np.float32)
    images[:, 0, 0] = positions
    return Digits("line", images, np.array(labels, np.uint8), "")


def test_hits_count_the_neighbors_that_show_the_query_s_digit():
    gallery = line_of_digits([0, 0.1, 0.2, 0.3, 0.4, 0.9], [1, 1, 1, 2, 2, 2])
    # The last one's neighbours are 0.4, 0.3, 0.2, 0.1: two 2s and two 1s. The first one's are 1, 1, 2, 2.
    assert hits_at_4(Pixels(), gallery).tolist() == [2, 2, 2, 1, 1, 2]


def test_queries_from_outside_are_not_left_out():
    gallery = line_of_digits([0, 0.1, 0.2, 0.3, 0.9], [1, 1, 1, 2, 2])
    queries = line_of_digits([0, 0.9], [1, 2])
    assert hits_at_4(Pixels(), gallery, queries).tolist() == [3, 2]


def test_the_summary_is_the_mean_share_and_two_thresholds():
    assert summarize(np.array([4, 3, 2, 1])) == {"precision_at_4": 0.625, "at_least_3_of_4": 0.5, "all_4": 0.25}


def test_reconstruction_error_is_the_mean_over_all_pixels():
    pca = PCA(np.zeros(784, np.float32), np.eye(1, 784, dtype=np.float32))  # keeps the first pixel alone
    images = np.zeros((2, 28, 28), np.float32)
    images[0, 0, 0] = images[0, 0, 1] = 1
    assert reconstruction_mse(pca, images) == pytest.approx(1 / (2 * 784))


def test_every_space_is_evaluated_by_its_name(bundled):
    few = Digits("few", bundled.images[:200].copy(), bundled.labels[:200].copy(), "")
    results = evaluate([Pixels(), PCA.fit(few.images, seed=0)], few)
    assert set(results) == {"pixels", "pca"}
    assert "mse" not in results["pixels"]
    assert results["pca"]["mse"] < 0.05
    assert 0.5 < results["pixels"]["precision_at_4"] <= 1
