"""Nearest neighbours by Milvus, for galleries larger than one machine: an address, and the contract of `search`.

An address is that of a server or cluster, `http://host:19530`, or a local file, `gallery.db`, which Milvus Lite opens
in this process. FLAT indexes answer exactly; IVF_FLAT and HNSW are faster and may miss neighbours.
"""

import logging
from contextlib import closing, contextmanager
from importlib.util import find_spec
from pathlib import Path

import numpy as np

from autoencoder.data import DataError
from autoencoder.query.search import EPS, QUERIES_AT_ONCE, SearchError, checked_arguments, exact_search, nearest_of

TIMEOUT_S = 3  # of connecting and of a query: a visitor is not kept longer for a server that may be gone
LOAD_TIMEOUT_S = 10  # of having a collection ready to be searched, when a gallery is opened
PUSH_TIMEOUT_S = 600  # of each thing that is done once: a batch is taken, all is written, an index is built
PUSHED_AT_ONCE = 5000
N_RECALL = 200  # queries
MOST_RESULTS = 16_384  # Milvus gives no more
SPARE_RESULTS = 8  # asked for beyond the neighbours, for those that rounding or a tie puts in another order
FIELD = "latent"
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
        self._client = _connect(address, make=False)
        with _answering(address):
            there = self._client.has_collection(collection, timeout=TIMEOUT_S)
            indexed = there and self._client.list_indexes(collection, timeout=TIMEOUT_S)
            n = _count(self._client, collection, LOAD_TIMEOUT_S) if indexed else 0
            if n != len(vectors):
                raise SearchError(
                    f"Milvus at {address} has {n:,} of the gallery's {len(vectors):,} digits: "
                    "bring them there with `python -m autoencoder gallery push`."
                )
            described = self._client.describe_index(collection, FIELD, timeout=TIMEOUT_S)
        self.index = described["index_type"]

    def kneighbors(self, queries, n_neighbors=4, *, exclude=None):
        """As `NearestNeighbors.kneighbors`; with another index than FLAT nearer vectors may be missing.

        So may be the first by index of more than 16,384 that are equally near.

        Raises:
            SearchError: Milvus does not answer in time, or more neighbours are asked for than the 16,375 that it gives.
            ValueError: as there.
        """
        queries, exclude = checked_arguments(self.vectors.shape, queries, n_neighbors, exclude)
        if n_neighbors > MOST_RESULTS - SPARE_RESULTS - 1:
            raise SearchError(
                f"Milvus gives at most {MOST_RESULTS - SPARE_RESULTS - 1} neighbors, {n_neighbors} are asked for."
            )
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
                search_params={"params": _parameters(self.index, len(self.vectors))[1]},
                output_fields=["id"],  # else the vectors come, too
                consistency_level="Bounded",  # "Strong" would wait for the server's clock, 200 ms
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
            rounding = (2 * len(query) + 8) * EPS * squared_length
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
    with closing(_connect(address)) as client, _answering(address):
        if not client.has_collection(collection, timeout=PUSH_TIMEOUT_S):
            _create(client, collection, vectors.shape[1])
        if not client.list_indexes(collection, timeout=PUSH_TIMEOUT_S):  # a server loads none without
            _build_index(client, collection, "FLAT", len(vectors))
        done = _count(client, collection, PUSH_TIMEOUT_S)
        if done < len(vectors):  # batches come in order, so all but the last of those begun are whole
            done -= done % PUSHED_AT_ONCE
        for start in range(done, len(vectors), PUSHED_AT_ONCE):
            some = vectors[start : start + PUSHED_AT_ONCE]
            rows = [{"id": key, FIELD: vector} for key, vector in enumerate(some, start)]
            client.upsert(collection, rows, timeout=PUSH_TIMEOUT_S)
            if progress:
                progress(start + len(some))
        client.flush(collection, timeout=PUSH_TIMEOUT_S)
        _build_index(client, collection, index, len(vectors))
        done = _count(client, collection, PUSH_TIMEOUT_S)
    if done != len(vectors):
        raise SearchError(f"Milvus at {address} has {done:,} of {len(vectors):,} digits: push them again.")


def drop(address, collection):
    """Take the vectors of a collection away from Milvus; raises SearchError if it cannot be reached."""
    with closing(_connect(address)) as client, _answering(address):
        client.drop_collection(collection, timeout=PUSH_TIMEOUT_S)


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
    client.create_collection(collection, schema=schema, consistency_level="Bounded", timeout=PUSH_TIMEOUT_S)


def _build_index(client, collection, kind, n):
    """Have the collection of n vectors indexed in this way, unless it is, and loaded to be searched."""
    have = client.list_indexes(collection, timeout=PUSH_TIMEOUT_S)
    if have and client.describe_index(collection, FIELD, timeout=PUSH_TIMEOUT_S)["index_type"] != kind:
        client.release_collection(collection, timeout=PUSH_TIMEOUT_S)
        client.drop_index(collection, FIELD, timeout=PUSH_TIMEOUT_S)
        have = []
    if not have:
        indexes = client.prepare_index_params()
        built, _ = _parameters(kind, n)
        indexes.add_index(FIELD, index_type=kind, metric_type="L2", index_name=FIELD, params=built)
        client.create_index(collection, indexes, sync=True, timeout=PUSH_TIMEOUT_S)
    client.load_collection(collection, timeout=PUSH_TIMEOUT_S)


def _parameters(kind, n):
    """How an index of n vectors is built, and how it is searched, as Milvus' documentation advises."""
    if kind == "IVF_FLAT":
        n_lists = max(16, int(4 * n**0.5))
        return {"nlist": n_lists}, {"nprobe": max(64, n_lists // 16)}
    if kind == "HNSW":
        return {"M": 16, "efConstruction": 200}, {"ef": 128}
    return {}, {}


def _count(client, collection, timeout_s):
    """How many vectors are there; once they have been counted, they are found.

    Strong consistency waits until all that was brought is there to be searched. (`get_collection_stats` does not, and
    on a cluster it counts those that were replaced as well.)
    """
    client.load_collection(collection, timeout=timeout_s)
    (counted,) = client.query(
        collection, filter="", output_fields=["count(*)"], consistency_level="Strong", timeout=timeout_s
    )
    return counted["count(*)"]


def _connect(address, *, make=True):
    """A MilvusClient; unless it is to `make` it, a local file must be there."""
    is_remote = "://" in address
    if not is_remote and not address.endswith(".db"):
        raise DataError(
            f"{address} is no address of Milvus: expected http://host:19530, or a local file ending in .db."
        )
    if not is_remote and not (Path(address).resolve().parent.is_dir() if make else Path(address).exists()):
        raise DataError(f"{address} is not there{': make its folder first' if make else ''}.")
    try:
        from pymilvus import MilvusClient
    except ImportError:
        raise DataError(MISSING) from None
    if not is_remote and not find_spec("milvus_lite"):
        raise DataError(MISSING)
    for logger in ("pymilvus", "grpc._server"):  # which log tracebacks of what is raised as well, or does not matter
        logging.getLogger(logger).setLevel(logging.CRITICAL)
    # Milvus Lite, in this process, needs no proxy, whatever the environment says, and refuses to be asked if it lives.
    options = {"grpc.enable_http_proxy": int(is_remote), "grpc.keepalive_permit_without_calls": int(is_remote)}
    with _answering(address):
        return MilvusClient(address, timeout=TIMEOUT_S, grpc_options=options)


@contextmanager
def _answering(address):
    """Turn what pymilvus and gRPC raise into a SearchError."""
    import grpc
    from pymilvus.exceptions import MilvusException

    try:
        yield
    except (MilvusException, grpc.RpcError, OSError) as error:
        code = getattr(error, "code", None)  # a number of pymilvus, or how gRPC calls it
        what = getattr(error, "message", "") or (code().name if callable(code) else str(error))
        advice = (
            "Is the server there, and the address right?"
            if "://" in address
            else "Another process may have it open: one at a time can."
        )
        raise SearchError(f"Milvus at {address} does not answer ({what}). {advice}") from None
