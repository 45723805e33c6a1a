import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from sklearn.neighbors import NearestNeighbors as ScikitNearestNeighbors

from autoencoder.search import NearestNeighbors

SQUARE = np.array([[0, 0], [3, 4], [0, 1], [3, 4]], np.float32)


def full_sort(vectors, query, n_neighbors, exclude=None):
    """Indices and distances by (distance, index), in float64."""
    distances = np.sqrt(np.square(vectors.astype(np.float64) - query.astype(np.float64)).sum(axis=1))
    order = [index for index in np.lexsort((np.arange(len(vectors)), distances)) if index != exclude][:n_neighbors]
    return distances[order], np.array(order)


def test_neighbors_come_nearest_first_with_their_distance():
    distances, indices = NearestNeighbors(SQUARE).kneighbors(np.array([[0, 0]]), 3)
    assert indices.tolist() == [[0, 2, 1]]
    assert distances.tolist() == [[0, 1, 5]]


def test_equally_near_neighbors_come_in_the_order_of_their_index():
    _, indices = NearestNeighbors(SQUARE).kneighbors(np.array([[3, 4]]), 2)
    assert indices.tolist() == [[1, 3]]


def test_the_excluded_index_is_left_out_and_its_duplicate_is_not():
    distances, indices = NearestNeighbors(SQUARE).kneighbors(np.array([[3, 4]]), 1, exclude=[1])
    assert indices.tolist() == [[3]]
    assert distances.tolist() == [[0]]


def test_each_query_excludes_its_own_index():
    _, indices = NearestNeighbors(SQUARE).kneighbors(SQUARE, 1, exclude=np.arange(4))
    assert indices.ravel().tolist() == [2, 3, 0, 1]


@pytest.mark.parametrize("n_neighbors", [0, 5])
def test_more_neighbors_than_vectors_or_none_are_refused(n_neighbors):
    with pytest.raises(ValueError, match=f"from 1 to 4, received {n_neighbors}"):
        NearestNeighbors(SQUARE).kneighbors(SQUARE, n_neighbors)


def test_the_excluded_vector_does_not_count_as_available():
    with pytest.raises(ValueError, match="from 1 to 3, received 4"):
        NearestNeighbors(SQUARE).kneighbors(SQUARE, 4, exclude=np.arange(4))


@pytest.mark.parametrize("exclude", [[-1], [4], [0, 1]])
def test_an_exclude_that_fits_no_vector_is_refused(exclude):
    with pytest.raises(ValueError, match="exclude"):
        NearestNeighbors(SQUARE).kneighbors(SQUARE[:1], 1, exclude=exclude)


@pytest.mark.parametrize("bad", [np.nan, np.inf, 1e30])
def test_values_that_cannot_be_compared_are_refused(bad):
    with pytest.raises(ValueError, match="expected finite queries"):
        NearestNeighbors(SQUARE).kneighbors(np.array([[0, bad]]), 1)
    with pytest.raises(ValueError, match="expected finite vectors"):
        NearestNeighbors(np.array([[0, bad]]))


def test_a_single_query_without_its_axis_is_refused():
    with pytest.raises(ValueError, match=r"expected queries \(n_queries, 2\), received \(2,\)"):
        NearestNeighbors(SQUARE).kneighbors(SQUARE[0], 1)


@given(data=st.data())
@settings(max_examples=300, deadline=None)
def test_search_agrees_with_a_full_sort_on_any_vectors(data):
    n, dim = data.draw(st.integers(1, 40)), data.draw(st.integers(1, 8))
    values = st.one_of(st.integers(-3, 3), st.floats(-100, 100, width=32))  # the integers make duplicates and ties
    vectors = data.draw(arrays(np.float32, (n, dim), elements=values))
    queries = data.draw(arrays(np.float32, (2, dim), elements=values))
    offset = np.float32(data.draw(st.sampled_from([0, 1e4, -1e7, 1e12])))
    n_neighbors = data.draw(st.sampled_from([1, n, (n + 1) // 2]))
    exclude = data.draw(st.none() if n_neighbors == n else st.lists(st.integers(0, n - 1), min_size=2, max_size=2))
    found = NearestNeighbors(vectors + offset).kneighbors(queries + offset, n_neighbors, exclude=exclude)
    for row, (query, distances, indices) in enumerate(zip(queries + offset, *found, strict=True)):
        left_out = None if exclude is None else exclude[row]
        expected_distances, expected_indices = full_sort(vectors + offset, query, n_neighbors, left_out)
        assert indices.tolist() == expected_indices.tolist()
        np.testing.assert_allclose(distances, expected_distances, rtol=1e-12)


@pytest.mark.parametrize("dim", [32, 784])
@pytest.mark.parametrize("offset", [0, 1e4])
def test_search_agrees_with_a_full_sort_on_many_vectors(dim, offset):
    rng = np.random.default_rng(0)
    vectors = (rng.normal(size=(3000, dim)) + offset).astype(np.float32)
    vectors[100:200] = vectors[:100]
    _, indices = NearestNeighbors(vectors).kneighbors(vectors[:300], 5, exclude=np.arange(300))
    for row in range(300):
        assert indices[row].tolist() == full_sort(vectors, vectors[row], 5, exclude=row)[1].tolist()


def test_the_contract_is_that_of_scikit_learn():
    rng = np.random.default_rng(0)
    vectors, queries = rng.normal(size=(500, 32)), rng.normal(size=(20, 32))
    ours = NearestNeighbors(vectors.astype(np.float32)).kneighbors(queries, 4)
    theirs = ScikitNearestNeighbors(algorithm="brute").fit(vectors).kneighbors(queries, 4)
    np.testing.assert_allclose(ours[0], theirs[0], rtol=1e-5)
    assert ours[1].tolist() == theirs[1].tolist()


def test_rounding_loses_no_neighbor_among_tight_clusters_far_apart():
    rng = np.random.default_rng(0)
    centres = np.where(np.arange(400)[:, None] % 2, 1e3, -1e3)
    vectors = (centres + rng.normal(0, 1e-2, (400, 32))).astype(np.float32)
    _, indices = NearestNeighbors(vectors).kneighbors(vectors[:50], 4, exclude=np.arange(50))
    for row in range(50):
        assert indices[row].tolist() == full_sort(vectors, vectors[row], 4, exclude=row)[1].tolist()
