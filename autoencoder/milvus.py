"""Nearest neighbours by Milvus, for galleries larger than one machine: an address, and the contract of `search`.

An address is that of a server or cluster, `http://host:19530`, or a local file, `gallery.db`, which Milvus Lite opens
in this process. FLAT indexes answer exactly; IVF_FLAT and HNSW are faster and may miss neighbours.
"""

import logging
from contextlib import contextmanager

import numpy as np

from autoencoder.data import DataError
from autoencoder.gallery import exact_search
from autoencoder.search import FLOAT32, QUERIES_AT_ONCE, SearchError, checked_arguments, nearest_of

TIMEOUT_S = 3  # of connecting and of a query: a visitor is not kept longer for a server that may be gone
LONG_TIMEOUT_S = 60  # of all that is done once: a collection is loaded, a batch is taken, an index is built
PUSHED_AT_ONCE = 5000
MOST_RESULTS = 16_384  # Milvus gives no more
N_RECALL = 200  # queries
SPARE_RESULTS = 8  # asked for beyond the neighbours, for those that rounding or a tie puts in another order
FIELD = "latent"
INDEXES = {  # kind: how it is built, and how it is searched
    "FLAT": ({}, {}),
    "IVF_FLAT": ({"nlist": 1024}, {"nprobe": 32}),
    "HNSW": ({"M": 16, "efConstruction": 200}, {"ef": 128}),
}
MISSING = "Milvus is not installed: install it with `python -m pip install -r requirements-milvus.txt`."


class MilvusNearestNeighbors:
    """Finds the nearest of the latents that `push` has brought to an address; as `NearestNeighbors` does.

    Milvus finds the candidates, by the squared distance in float32; their order and their distances are computed here,
    from the vectors themselves. Any thread may use it.

    Args:
        address: of a server, or of a local file.
        vectors: float32 (n, dim), those that were pushed.
        collection: the name that they were pushed under.

    Raises:
        SearchError: Milvus cannot be reached, or does not have all the vectors.
    """

    def __init__(self, address, vectors, collection):
        self.address, self.vectors, self._collection = address, vectors, collection
        self._client = _connect(address)
        with _answering(address):
            there = self._client.has_collection(collection, timeout=LONG_TIMEOUT_S)
            n = _count(self._client, collection) if there else 0
            if n != len(vectors):
                raise SearchError(
                    f"Milvus at {address} has {n:,} of the gallery's {len(vectors):,} digits: "
                    "bring them there with `python -m autoencoder gallery push`."
                )
            self._client.load_collection(collection, timeout=LONG_TIMEOUT_S)
            self.index = self._client.describe_index(collection, FIELD, timeout=LONG_TIMEOUT_S)["index_type"]

    def kneighbors(self, queries, n_neighbors=4, *, exclude=None):
        """As `NearestNeighbors.kneighbors`; with another index than FLAT nearer vectors may be missing.

        Raises:
            SearchError: Milvus does not answer in time.
            ValueError: also for more neighbours than Milvus gives, 16,375.
        """
        queries, exclude = checked_arguments(self.vectors.shape, queries, n_neighbors, exclude)
        if n_neighbors > MOST_RESULTS - SPARE_RESULTS - 1:
            raise ValueError(f"expected n_neighbors below {MOST_RESULTS - SPARE_RESULTS}, received {n_neighbors}")
        distances = np.empty((len(queries), n_neighbors))
        indices = np.empty((len(queries), n_neighbors), np.int64)
        for start in range(0, len(queries), QUERIES_AT_ONCE):
            some = queries[start : start + QUERIES_AT_ONCE]
            found = self._search(some, n_neighbors + SPARE_RESULTS + 1)
            for row, (query, of_query) in enumerate(zip(some, found, strict=True), start):
                left_out = None if exclude is None else exclude[row]
                distances[row], indices[row] = self._nearest(query, of_query, n_neighbors, left_out)
        return distances, indices

    def _search(self, queries, limit):
        """The indices of each query's `limit` nearest vectors, or of all if there are fewer; a list of int64 arrays."""
        with _answering(self.address):
            results = self._client.search(
                self._collection,
                queries.tolist(),
                limit=min(limit, len(self.vectors)),
                search_params={"params": INDEXES.get(self.index, ({}, {}))[1]},
                output_fields=["id"],
                timeout=TIMEOUT_S + len(queries) - 1,
            )
        return [np.array([hit["id"] for hit in of_query], np.int64) for of_query in results]

    def _nearest(self, query, found, n_neighbors, exclude):
        """The nearest of those found; where more may be as near as the last of them, more are asked for."""
        while True:
            candidates = np.sort(found[found != exclude])
            vectors = self.vectors[candidates]
            if len(candidates) < n_neighbors:
                raise SearchError(
                    f"Milvus at {self.address} finds {len(candidates)} neighbors, {n_neighbors} are wanted."
                )
            distances, indices = nearest_of(vectors, candidates, query, n_neighbors)
            farthest = np.linalg.norm(vectors.astype(np.float64) - query, axis=1).max()
            squared_length = (
                np.square(vectors, dtype=np.float64).sum(axis=1).max() + np.square(query, dtype=np.float64).sum()
            )
            rounding = (2 * len(query) + 8) * FLOAT32.eps * squared_length
            limit = min(4 * len(found), MOST_RESULTS, len(self.vectors))
            if self.index != "FLAT" or limit <= len(found) or farthest**2 > distances[-1] ** 2 + rounding:
                return distances, indices
            found = self._search(query[None], limit)[0]


def push(vectors, address, collection, *, index="FLAT", progress=None):
    """Bring vectors to Milvus; what is there already is not brought again, so it can be stopped and repeated.

    Args:
        vectors: float32 (n, dim); their indices are their keys.
        address: of a server, or of a local file.
        collection: the name to keep them under, of letters, digits and underscores.
        index: "FLAT", "IVF_FLAT" or "HNSW".
        progress: called with the number of vectors that are there, after each batch.

    Raises:
        SearchError: Milvus cannot be reached, or does not answer in time.
    """
    client = _connect(address)
    with _answering(address):
        if not client.has_collection(collection, timeout=LONG_TIMEOUT_S):
            _create(client, collection, vectors.shape[1])
        done = _count(client, collection)
        # Batches come in order, so all but the last of those begun are whole.
        for start in range(
            done // PUSHED_AT_ONCE * PUSHED_AT_ONCE if done < len(vectors) else done, len(vectors), PUSHED_AT_ONCE
        ):
            some = vectors[start : start + PUSHED_AT_ONCE]
            rows = [{"id": key, FIELD: vector} for key, vector in enumerate(some, start)]
            client.upsert(collection, rows, timeout=LONG_TIMEOUT_S)
            if progress:
                progress(start + len(some))
        client.flush(collection, timeout=LONG_TIMEOUT_S)
        _build_index(client, collection, index)
    client.close()


def measure_recall(vectors, address, collection, *, n_queries=N_RECALL, seed=0):
    """Of the 4 nearest by the exact search the share that Milvus finds, and of how many random queries it is that.

    Raises:
        SearchError: Milvus cannot be reached, or does not have all the vectors.
    """
    some = np.random.default_rng(seed).choice(len(vectors), min(n_queries, len(vectors)), replace=False)
    n_neighbors = min(4, len(vectors) - 1)
    found = MilvusNearestNeighbors(address, vectors, collection).kneighbors(vectors[some], n_neighbors, exclude=some)[1]
    exact = exact_search(vectors).kneighbors(vectors[some], n_neighbors, exclude=some)[1]
    return float(np.mean([np.isin(*pair) for pair in zip(exact, found, strict=True)])), len(some)


def _create(client, collection, dim):
    from pymilvus import DataType

    schema = client.create_schema(auto_id=False)
    schema.add_field("id", DataType.INT64, is_primary=True)
    schema.add_field(FIELD, DataType.FLOAT_VECTOR, dim=dim)
    client.create_collection(collection, schema=schema, timeout=LONG_TIMEOUT_S)
    _build_index(client, collection, "FLAT")


def _build_index(client, collection, kind):
    """Have the collection indexed in this way, and loaded to be searched."""
    have = client.list_indexes(collection, timeout=LONG_TIMEOUT_S)
    if have and client.describe_index(collection, FIELD, timeout=LONG_TIMEOUT_S)["index_type"] != kind:
        client.release_collection(collection, timeout=LONG_TIMEOUT_S)
        client.drop_index(collection, FIELD, timeout=LONG_TIMEOUT_S)
        have = []
    if not have:
        indexes = client.prepare_index_params()
        indexes.add_index(FIELD, index_type=kind, metric_type="L2", index_name=FIELD, params=INDEXES[kind][0])
        client.create_index(collection, indexes, sync=True)
    client.load_collection(collection, timeout=LONG_TIMEOUT_S)


def _count(client, collection):
    """How many vectors are there. (On a cluster `get_collection_stats` counts those that were replaced as well.)"""
    client.load_collection(collection, timeout=LONG_TIMEOUT_S)
    (counted,) = client.query(collection, filter="", output_fields=["count(*)"], timeout=LONG_TIMEOUT_S)
    return counted["count(*)"]


def _connect(address):
    is_remote = "://" in address  # what is in this process needs no proxy, whatever the environment says
    if not is_remote and not address.endswith(".db"):
        raise DataError(
            f"{address} is no address of Milvus: expected http://host:19530, or a local file ending in .db."
        )
    try:
        from pymilvus import MilvusClient
    except ImportError:
        raise DataError(MISSING) from None
    for logger in ("pymilvus", "grpc._server"):  # which log tracebacks of what is raised as well, or does not matter
        logging.getLogger(logger).setLevel(logging.CRITICAL)
    with _answering(address):
        return MilvusClient(address, timeout=TIMEOUT_S, grpc_options={"grpc.enable_http_proxy": int(is_remote)})


@contextmanager
def _answering(address):
    """Turn whatever pymilvus and gRPC raise into a SearchError."""
    try:
        yield
    except SearchError:
        raise
    except Exception as error:
        code = getattr(error, "code", None)  # a number of pymilvus, or how gRPC calls it
        what = getattr(error, "message", "") or (code().name if callable(code) else type(error).__name__)
        advice = (
            "Is the server there, and the address right?"
            if "://" in address
            else "Another process may have it open: one at a time can."
        )
        raise SearchError(f"Milvus at {address} does not answer ({what}). {advice}") from None
