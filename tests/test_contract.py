"""The contract of search, which every engine keeps: in memory, in blocks where the vectors are, and Milvus; and any of
them joined with a class, while it stays as it is and while others add to it."""

import os
import threading

import numpy as np
import pytest
from naive import full_sort
from sklearn.neighbors import NearestNeighbors as ScikitNearestNeighbors

from autoencoder.gallery.milvus import MilvusNearestNeighbors, drop, push
from autoencoder.query import search as search_module
from autoencoder.query.growing import Growing, JoinedNeighbors
from autoencoder.query.search import NearestNeighbors, NearestNeighborsInBlocks

SQUARE = np.array([[0, 0], [3, 4], [0, 1], [3, 4]], np.float32)


SERVER = pytest.param("Milvus server", marks=pytest.mark.milvus_server)


@pytest.fixture(scope="module")
def at_server():
    """Searches at the server, by their vectors: to bring some there takes seconds."""
    server, searches = os.environ["MILVUS_SERVER"], {}

    def search(vectors):
        key = vectors.tobytes()
        if key not in searches:
            collection = f"contract_{os.getpid()}_{len(searches)}"
            push(vectors, server, collection)
            searches[key] = MilvusNearestNeighbors(server, vectors, collection), collection
        return searches[key][0]

    yield search
    for _, collection in searches.values():
        drop(server, collection)


@pytest.fixture
def while_others_add():
    """Joins a search with vectors to which others keep adding until the test ends."""
    is_done, adding = threading.Event(), []

    def search(vectors):
        vectors = np.asarray(vectors, np.float32)
        n_first = len(vectors) // 2
        growing = Growing()
        padded = np.zeros((len(vectors) - n_first, 32), np.float32)
        padded[:, : vectors.shape[1]] = vectors[n_first:]
        blank = np.zeros((1, 28, 28), np.uint8), np.zeros(1, np.uint8), np.zeros((1, 32), np.float32)
        growing.add(blank[0].repeat(len(padded), 0), blank[1].repeat(len(padded)), padded)
        latents = growing.added.latents[:, : vectors.shape[1]]

        def add():
            while not is_done.is_set():
                growing.add(*blank)  # nearer to the origin than anything
                if len(growing.added) > len(padded) + 500:
                    growing.cut(len(padded))

        adding.append(threading.Thread(target=add))
        adding[-1].start()
        return JoinedNeighbors(NearestNeighbors(vectors[:n_first]), latents)

    yield search
    is_done.set()
    for thread in adding:
        thread.join()


@pytest.fixture(
    params=["in memory", "in blocks", "Milvus Lite", "joined", "blocks, joined", "joined, others add", SERVER]
)
def search(request, tmp_path, monkeypatch):
    """Makes the search for some vectors."""
    monkeypatch.setattr(search_module, "VECTORS_AT_ONCE", 3)

    def by_milvus(vectors):
        server = str(tmp_path / "vectors.db")
        push(vectors, server, "vectors")
        return MilvusNearestNeighbors(server, vectors, "vectors")

    if request.param == "Milvus server":
        return request.getfixturevalue("at_server")
    if request.param == "joined, others add":
        return request.getfixturevalue("while_others_add")

    def joined(first):
        def search(vectors):
            vectors = np.asarray(vectors, np.float32)
            n_first = len(vectors) // 2
            return JoinedNeighbors(first(vectors[:n_first]), vectors[n_first:])

        return search

    kinds = {
        "in memory": NearestNeighbors,
        "in blocks": NearestNeighborsInBlocks,
        "Milvus Lite": by_milvus,
        "joined": joined(NearestNeighbors),
        "blocks, joined": joined(NearestNeighborsInBlocks),
    }
    return kinds[request.param]


def test_neighbors_come_nearest_first_with_their_distance(search):
    distances, indices = search(SQUARE).kneighbors(np.array([[0, 0]]), 3)
    assert indices.tolist() == [[0, 2, 1]]
    assert distances.tolist() == [[0, 1, 5]]


def test_equally_near_neighbors_come_in_the_order_of_their_index(search):
    _, indices = search(SQUARE).kneighbors(np.array([[3, 4]]), 2)
    assert indices.tolist() == [[1, 3]]


def test_the_excluded_index_is_left_out_and_its_duplicate_is_not(search):
    distances, indices = search(SQUARE).kneighbors(np.array([[3, 4]]), 1, exclude=[1])
    assert indices.tolist() == [[3]]
    assert distances.tolist() == [[0]]


def test_the_index_of_a_single_query_needs_no_array(search):
    _, indices = search(SQUARE).kneighbors(np.array([[3, 4]]), 1, exclude=1)
    assert indices.tolist() == [[3]]


def test_each_query_excludes_its_own_index(search):
    _, indices = search(SQUARE).kneighbors(SQUARE, 1, exclude=np.arange(4))
    assert indices.ravel().tolist() == [2, 3, 0, 1]


@pytest.mark.parametrize("n_neighbors", [0, 5])
def test_more_neighbors_than_vectors_or_none_are_refused(search, n_neighbors):
    with pytest.raises(ValueError, match=f"from 1 to 4, received {n_neighbors}"):
        search(SQUARE).kneighbors(SQUARE, n_neighbors)


def test_the_excluded_vector_does_not_count_as_available(search):
    with pytest.raises(ValueError, match="from 1 to 3, received 4"):
        search(SQUARE).kneighbors(SQUARE, 4, exclude=np.arange(4))


@pytest.mark.parametrize("exclude", [[-1], [4], [0, 1]])
def test_an_exclude_that_fits_no_vector_is_refused(search, exclude):
    with pytest.raises(ValueError, match="exclude"):
        search(SQUARE).kneighbors(SQUARE[:1], 1, exclude=exclude)


@pytest.mark.parametrize("bad", [np.nan, np.inf, 1e30])
def test_values_that_cannot_be_compared_are_refused(search, bad):
    with pytest.raises(ValueError, match="expected finite queries"):
        search(SQUARE).kneighbors(np.array([[0, bad]]), 1)


def test_a_single_query_without_its_axis_is_refused(search):
    with pytest.raises(ValueError, match=r"expected queries \(n_queries, 2\), received \(2,\)"):
        search(SQUARE).kneighbors(SQUARE[0], 1)


def test_the_contract_is_that_of_scikit_learn(search):
    rng = np.random.default_rng(0)
    vectors, queries = rng.normal(size=(500, 32)), rng.normal(size=(20, 32))
    ours = search(vectors.astype(np.float32)).kneighbors(queries, 4)
    theirs = ScikitNearestNeighbors(algorithm="brute").fit(vectors).kneighbors(queries, 4)
    np.testing.assert_allclose(ours[0], theirs[0], rtol=1e-5)
    assert ours[1].tolist() == theirs[1].tolist()


def test_rounding_loses_no_neighbor_among_tight_clusters_far_apart(search):
    rng = np.random.default_rng(0)
    centers = np.where(np.arange(400)[:, None] % 2, 1e3, -1e3)
    vectors = (centers + rng.normal(0, 1e-2, (400, 32))).astype(np.float32)
    _, indices = search(vectors).kneighbors(vectors[:50], 4, exclude=np.arange(50))
    for row in range(50):
        assert indices[row].tolist() == full_sort(vectors, vectors[row], 4, exclude=row)[1].tolist()


def test_of_more_equally_near_than_are_asked_for_the_first_by_index_come(search):
    vectors = np.zeros((200, 4), np.float32)
    vectors[::3] = 1
    _, indices = search(vectors).kneighbors(np.ones((1, 4)), 5, exclude=[6])
    assert indices.tolist() == [[0, 3, 9, 12, 15]]


def test_all_vectors_can_be_asked_for(search):
    rng = np.random.default_rng(0)
    vectors = rng.normal(size=(40, 4)).astype(np.float32)
    _, indices = search(vectors).kneighbors(vectors[:1], 39, exclude=[0])
    assert indices[0].tolist() == full_sort(vectors, vectors[0], 39, exclude=0)[1].tolist()
