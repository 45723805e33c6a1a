import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from naive import full_sort

from autoencoder.query import search
from autoencoder.query.search import NearestNeighbors, NearestNeighborsInBlocks

KINDS = NearestNeighbors, NearestNeighborsInBlocks


@pytest.fixture(autouse=True, scope="module")
def small_blocks():
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(search, "VECTORS_AT_ONCE", 7)
        yield


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("bad", [np.nan, np.inf, 1e30])
def test_vectors_that_cannot_be_compared_are_refused(kind, bad):
    with pytest.raises(ValueError, match="expected finite vectors"):
        kind(np.array([[0, bad]]))


@pytest.mark.parametrize("kind", KINDS)
def test_vectors_without_their_axis_or_none_are_refused(kind):
    for vectors in (np.zeros(3), np.zeros((0, 3))):
        with pytest.raises(ValueError, match=r"expected vectors \(n, dim\) with n >= 1, received"):
            kind(vectors)


@pytest.mark.parametrize("kind", KINDS)
@given(data=st.data())
@settings(max_examples=300, deadline=None)
def test_search_agrees_with_a_full_sort_on_any_vectors(kind, data):
    n, dim = data.draw(st.integers(1, 40)), data.draw(st.integers(1, 8))
    values = st.one_of(st.integers(-3, 3), st.floats(-100, 100, width=32))  # the integers make duplicates and ties
    vectors = data.draw(arrays(np.float32, (n, dim), elements=values))
    queries = data.draw(arrays(np.float32, (2, dim), elements=values))
    offset = np.float32(data.draw(st.sampled_from([0, 1e4, -1e7, 1e12])))
    n_neighbors = data.draw(st.sampled_from([1, n, (n + 1) // 2]))
    exclude = data.draw(st.none() if n_neighbors == n else st.lists(st.integers(0, n - 1), min_size=2, max_size=2))
    found = kind(vectors + offset).kneighbors(queries + offset, n_neighbors, exclude=exclude)
    for row, (query, distances, indices) in enumerate(zip(queries + offset, *found, strict=True)):
        left_out = None if exclude is None else exclude[row]
        expected_distances, expected_indices = full_sort(vectors + offset, query, n_neighbors, left_out)
        assert indices.tolist() == expected_indices.tolist()
        np.testing.assert_allclose(distances, expected_distances, rtol=1e-12)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("dim", [32, 784])
@pytest.mark.parametrize("offset", [0, 1e4])
def test_search_agrees_with_a_full_sort_on_many_vectors(kind, dim, offset, monkeypatch):
    monkeypatch.setattr(search, "VECTORS_AT_ONCE", 700)
    rng = np.random.default_rng(0)
    vectors = (rng.normal(size=(3000, dim)) + offset).astype(np.float32)
    vectors[100:200] = vectors[:100]
    _, indices = kind(vectors).kneighbors(vectors[:300], 5, exclude=np.arange(300))
    for row in range(300):
        assert indices[row].tolist() == full_sort(vectors, vectors[row], 5, exclude=row)[1].tolist()


def test_vectors_in_a_file_are_searched_where_they_are(tmp_path):
    vectors = np.random.default_rng(0).normal(size=(500, 8)).astype(np.float32)
    np.save(tmp_path / "vectors.npy", vectors)
    mapped = np.load(tmp_path / "vectors.npy", mmap_mode="r")
    nearest = NearestNeighborsInBlocks(mapped)
    assert nearest.vectors is mapped
    for found, expected in zip(nearest.kneighbors(vectors), NearestNeighbors(vectors).kneighbors(vectors), strict=True):
        np.testing.assert_array_equal(found, expected)
