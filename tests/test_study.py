import numpy as np
import pytest

from autoencoder.build.evaluate import hits_at_4
from autoencoder.build.study import map_positions, pca_by_size, study_gallery
from autoencoder.data import Digits
from autoencoder.spaces import PCA, Pixels
from autoencoder.study import Study, place_on_map


@pytest.fixture(scope="module")
def few(bundled):
    return Digits("few", bundled.images[:200].copy(), bundled.labels[:200].copy(), "")


class Halves(Pixels):
    """The pixels again, as another space."""

    name = "latent"


def test_a_study_comes_back_as_it_was_saved(few, tmp_path):
    study = study_gallery(few, [Pixels(), Halves()], seed=0)
    study.save(tmp_path / "study.npz")
    loaded = Study.load(tmp_path / "study.npz")
    np.testing.assert_array_equal(loaded.positions, study.positions)
    np.testing.assert_array_equal(loaded.neighbors, study.neighbors)
    assert set(loaded.hits) == {"pixels", "latent"}
    np.testing.assert_array_equal(loaded.hits["latent"], hits_at_4(Pixels(), few))
    assert not loaded.positions.flags.writeable


def test_the_map_fills_the_unit_square_and_keeps_clusters_apart():
    rng = np.random.default_rng(0)
    two_clusters = rng.normal(size=(60, 32)) + 100 * (np.arange(60) % 2)[:, None]
    positions = map_positions(two_clusters.astype(np.float32), seed=0)
    assert positions.min(axis=0).tolist() == [0, 0]
    assert positions.max(axis=0).tolist() == [1, 1]
    distances = np.linalg.norm(positions[:, None] - positions, axis=2) + 9 * np.eye(60)
    assert (distances.argmin(axis=1) % 2 == np.arange(60) % 2).all()


def test_a_query_is_put_between_its_neighbors_and_nearer_to_the_nearer():
    positions = np.array([[0.0, 0.0], [1.0, 0.0], [5.0, 5.0]], np.float32)
    np.testing.assert_allclose(place_on_map(positions, [0, 1], np.array([1.0, 3.0])), [0.25, 0], atol=1e-4)
    np.testing.assert_allclose(place_on_map(positions, [2, 0], np.array([0.0, 1.0])), [5, 5], atol=1e-3)


def test_more_principal_components_reconstruct_better(few):
    by_size = pca_by_size(few.images, few, seed=0)
    errors = [of_size["mse"] for of_size in by_size.values()]
    assert errors == sorted(errors, reverse=True)
    space = PCA.fit(few.images, n_components=8, seed=0)
    assert by_size["8"]["precision_at_4"] == pytest.approx(hits_at_4(space, few).mean() / 4, abs=0.02)
