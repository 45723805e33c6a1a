import os
import socket
import sys
from contextlib import closing
from time import perf_counter
from uuid import uuid4

import numpy as np
import pytest

from autoencoder.data import DataError
from autoencoder.gallery import milvus
from autoencoder.gallery.milvus import MilvusNearestNeighbors, drop, measure_recall, push
from autoencoder.query.search import NearestNeighbors, SearchError

VECTORS = np.random.default_rng(0).normal(size=(2000, 32)).astype(np.float32)


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    server = str(tmp_path_factory.mktemp("milvus") / "vectors.db")
    push(VECTORS, server, "vectors")
    return server


@pytest.fixture(params=["Milvus Lite", pytest.param("Milvus server", marks=pytest.mark.milvus_server)])
def place(request, tmp_path):
    """A server and a collection there that nobody has used."""
    if request.param == "Milvus Lite":
        yield str(tmp_path / "vectors.db"), "vectors"
        return
    server, collection = os.environ["MILVUS_SERVER"], f"vectors_{uuid4().hex}"
    yield server, collection
    drop(server, collection)


def test_neighbors_and_distances_are_those_of_the_exact_search_from_the_first_query_on(place):
    push(VECTORS, *place)
    some = np.arange(0, 2000, 40)
    theirs = MilvusNearestNeighbors(place[0], VECTORS, place[1]).kneighbors(VECTORS[some], 20, exclude=some)
    ours = NearestNeighbors(VECTORS).kneighbors(VECTORS[some], 20, exclude=some)
    assert theirs[1].tolist() == ours[1].tolist()
    np.testing.assert_array_equal(theirs[0], ours[0])


def test_a_query_does_not_wait_for_the_server_s_clock(server, monkeypatch):
    nearest, asked = MilvusNearestNeighbors(server, VECTORS, "vectors"), []
    search = nearest._client.search
    monkeypatch.setattr(nearest._client, "search", lambda *given, **how: asked.append(how) or search(*given, **how))
    nearest.kneighbors(VECTORS[:1])
    assert [how["consistency_level"] for how in asked] == ["Bounded"]


def test_what_is_there_already_is_not_brought_again(place, monkeypatch):
    monkeypatch.setattr(milvus, "PUSHED_AT_ONCE", 300)
    (server, collection), there = place, []

    def stop_after_four(n):
        there.append(n)
        if len(there) == 4:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        push(VECTORS, server, collection, progress=stop_after_four)
    assert there == [300, 600, 900, 1200]
    with pytest.raises(SearchError, match=r"has 1,200 of the gallery's 2,000 digits: .* gallery push"):
        MilvusNearestNeighbors(server, VECTORS, collection)
    there = []
    push(VECTORS, server, collection, progress=there.append)
    assert there == [1500, 1800, 2000]
    there = []
    push(VECTORS, server, collection, progress=there.append)
    assert there == []
    assert measure_recall(VECTORS, server, collection, n_queries=50) == (1.0, 50)


@pytest.mark.parametrize("index", ["IVF_FLAT", "HNSW"])
def test_another_index_answers_nearly_as_the_exact_search(index, place):
    server, collection = place
    push(VECTORS, server, collection, index=index)
    assert MilvusNearestNeighbors(server, VECTORS, collection).index == index
    recall, _ = measure_recall(VECTORS, server, collection, n_queries=50)
    assert recall > 0.8
    push(VECTORS, server, collection)
    assert MilvusNearestNeighbors(server, VECTORS, collection).index == "FLAT"


def test_a_gallery_that_was_never_brought_there_is_reported(server):
    with pytest.raises(SearchError, match="has 0 of the gallery's 2,000 digits"):
        MilvusNearestNeighbors(server, VECTORS, "others")


def test_no_server_and_one_that_hangs_are_reported_in_time():
    with socket.create_server(("127.0.0.1", 0)) as silent:
        for port in (9, silent.getsockname()[1]):
            started = perf_counter()
            with pytest.raises(SearchError, match=f"127.0.0.1:{port} does not answer .* address right"):
                MilvusNearestNeighbors(f"http://127.0.0.1:{port}", VECTORS, "vectors")
            assert perf_counter() - started < 10 * milvus.TIMEOUT_S


def test_an_engine_that_stops_answering_is_reported(server, monkeypatch):
    nearest = MilvusNearestNeighbors(server, VECTORS, "vectors")

    def hang(*_, timeout, **__):
        raise TimeoutError(f"{timeout} s")

    monkeypatch.setattr(nearest._client, "search", hang)
    with pytest.raises(SearchError, match="does not answer"):
        nearest.kneighbors(VECTORS[:1])


def test_an_address_that_is_none_is_reported():
    with pytest.raises(DataError, match="is no address of Milvus"):
        MilvusNearestNeighbors("nowhere", VECTORS, "vectors")


def test_without_pymilvus_it_is_said_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "pymilvus", None)
    with pytest.raises(DataError, match=r"pip install -r requirements-milvus.txt"):
        push(VECTORS, "x.db", "vectors")


def test_more_neighbors_than_milvus_gives_are_refused(server):
    nearest = MilvusNearestNeighbors(server, VECTORS, "vectors")
    nearest.vectors = np.zeros((20_000, 32), np.float32)
    with pytest.raises(SearchError, match="at most 16375 neighbors, 17000 are asked for"):
        nearest.kneighbors(VECTORS[:1], 17_000)


def test_a_mistyped_file_is_reported_and_not_made(tmp_path):
    with pytest.raises(DataError, match=r"typo.db is not there"):
        MilvusNearestNeighbors(str(tmp_path / "typo.db"), VECTORS, "vectors")
    assert not (tmp_path / "typo.db").exists()
    with pytest.raises(DataError, match="make its folder first"):
        push(VECTORS, str(tmp_path / "nowhere" / "x.db"), "vectors")


def test_a_push_that_was_killed_before_its_first_index_is_mended_by_the_next(place):
    server, collection = place
    with closing(milvus._connect(server)) as client:
        milvus._create(client, collection, 32)
    push(VECTORS, server, collection)
    assert MilvusNearestNeighbors(server, VECTORS, collection).index == "FLAT"
