"""Nearest neighbors by Milvus, for galleries larger than one machine, with the contract of `search`.

A `server` is named by the URL of a server or cluster, `http://host:19530`, or by a local file, `gallery.db`: Milvus
Lite then opens the file in this process. FLAT indexes answer exactly. IVF_FLAT and HNSW are faster and may miss
neighbors.
"""

import logging
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from autoencoder.data import DataError
from autoencoder.query.search import (
    EPS,
    QUERIES_AT_ONCE,
    Indices,
    SearchError,
    checked_arguments,
    exact_search,
    nearest_of,
)

if TYPE_CHECKING:  # pymilvus is not installed everywhere
    from pymilvus import MilvusClient

TIMEOUT_S = 3  # to connect, or for a query: the server may be gone, and a visitor does not wait longer than this
LOAD_TIMEOUT_S = 10  # to make a collection ready to be searched, when a gallery is opened
PUSH_TIMEOUT_S = 600  # for each step of a push: to take a batch, to write all of it, to build an index
PUSHED_AT_ONCE = 5000
N_RECALL = 200  # queries
MOST_RESULTS = 16_384  # Milvus gives no more
SPARE_RESULTS = 8  # asked for beyond the neighbors, since rounding or a tie may put some in another order
INDEX_TYPES = "FLAT", "IVF_FLAT", "HNSW"  # the first answers exactly
FIELD = "latent"
MISSING = "Milvus is not installed: install it with `python -m pip install -r requirements-milvus.txt`."


class MilvusNearestNeighbors:
    """Finds the nearest of the latents that `push` has brought to Milvus, as `NearestNeighbors` does.

    Milvus finds the candidates, by the squared distance in float32; their order and their distances are computed here,
    from the vectors themselves. Any thread may use it.

    Args:
        server: the URL of a server, or a local file.
        vectors: (n, dim), those that were pushed.
        collection: the name that they were pushed under.

    Raises:
        SearchError: Milvus cannot be reached, or does not have all the vectors.
    """

    def __init__(self, server: str, vectors: NDArray[np.float32], collection: str) -> None:
        self.server, self.vectors, self._collection = server, vectors, collection
        self._client = _connect(server, make=False)
        with _answering(server):
            there = self._client.has_collection(collection, timeout=TIMEOUT_S)
            indexed = there and self._client.list_indexes(collection, timeout=TIMEOUT_S)
            n = _count(self._client, collection, LOAD_TIMEOUT_S) if indexed else 0
            if n != len(vectors):
                raise SearchError(
                    f"Milvus at {server} has {n:,} of the gallery's {len(vectors):,} digits: "
                    "bring them there with `python -m autoencoder gallery push`."
                )
            described = self._client.describe_index(collection, FIELD, timeout=TIMEOUT_S)
        self.index: str = described["index_type"]

    def kneighbors(
        self, queries: NDArray[np.float32], n_neighbors: int = 4, *, exclude: Indices | None = None
    ) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
        """As `NearestNeighbors.kneighbors`, but with another index than FLAT nearer vectors may be missing.

        Of more than 16,384 vectors that are equally near, the first by their index may be missing, too.

        Raises:
            SearchError: Milvus does not answer in time, or more neighbors are asked for than the 16,375 that it gives.
            ValueError: as there.
        """
        queries, left_out = checked_arguments(self.vectors.shape, queries, n_neighbors, exclude)
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
                own = None if left_out is None else int(left_out[row])
                distances[row], indices[row] = self._nearest(query, of_query, n_neighbors, own)
        return distances, indices

    def _search(self, queries: NDArray[np.float32], limit: int) -> list[NDArray[np.int64]]:
        """For each query the indices of its `limit` nearest vectors, or of all vectors if there are fewer."""
        with _answering(self.server):
            results = self._client.search(
                self._collection,
                queries.tolist(),
                limit=min(limit, len(self.vectors)),
                search_params={"params": _parameters(self.index, len(self.vectors))[1]},
                output_fields=["id"],  # without this the vectors come, too
                consistency_level="Bounded",  # "Strong" would wait for the server's clock, 200 ms
                timeout=TIMEOUT_S + len(queries) - 1,
            )
        return [np.array([hit["id"] for hit in of_query], np.int64) for of_query in results]

    def _nearest(
        self, query: NDArray[np.float32], found: NDArray[np.int64], n_neighbors: int, exclude: int | None
    ) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
        """Distances and indices (n_neighbors,) of the nearest of those found.

        Where vectors that were not found may be as near as the last of these, Milvus is asked for more.
        """
        while True:
            candidates = np.sort(found[found != exclude])
            vectors = self.vectors[candidates]
            if len(candidates) < n_neighbors:
                raise SearchError(
                    f"Milvus at {self.server} finds {len(candidates)} neighbors, {n_neighbors} are wanted."
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


def push(
    vectors: NDArray[np.float32],
    server: str,
    collection: str,
    *,
    index: str = "FLAT",
    progress: Callable[[int], object] | None = None,
) -> None:
    """Bring vectors to Milvus. It can be stopped and repeated: what is there already is not brought again.

    Args:
        vectors: (n, dim); their indices are their keys.
        server: the URL of a server, or a local file.
        collection: the name to keep them under, of letters, digits and underscores.
        index: "FLAT", "IVF_FLAT" or "HNSW".
        progress: called with the number of vectors that are there, after each batch.

    Raises:
        SearchError: Milvus cannot be reached, or does not answer in time.
    """
    with closing(_connect(server)) as client, _answering(server):
        if not client.has_collection(collection, timeout=PUSH_TIMEOUT_S):
            _create(client, collection, vectors.shape[1])
        if not client.list_indexes(collection, timeout=PUSH_TIMEOUT_S):  # a server loads no collection without an index
            _build_index(client, collection, "FLAT", len(vectors))
        done = _count(client, collection, PUSH_TIMEOUT_S)
        if done < len(vectors):  # batches come in order, so only the last may be incomplete
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
        raise SearchError(f"Milvus at {server} has {done:,} of {len(vectors):,} digits: push them again.")


def drop(server: str, collection: str) -> None:
    """Take the vectors of a collection away from Milvus; raises SearchError if it cannot be reached."""
    with closing(_connect(server)) as client, _answering(server):
        client.drop_collection(collection, timeout=PUSH_TIMEOUT_S)


def measure_recall(
    vectors: NDArray[np.float32], server: str, collection: str, *, n_queries: int = N_RECALL, seed: int = 0
) -> tuple[float, int]:
    """The share of the 4 nearest by the exact search that Milvus finds, and the number of random queries asked.

    Raises:
        SearchError: Milvus cannot be reached, or does not have all the vectors.
    """
    some = np.random.default_rng(seed).choice(len(vectors), min(n_queries, len(vectors)), replace=False)
    n_neighbors = min(4, len(vectors) - 1)
    _, found = MilvusNearestNeighbors(server, vectors, collection).kneighbors(vectors[some], n_neighbors, exclude=some)
    _, exact = exact_search(vectors).kneighbors(vectors[some], n_neighbors, exclude=some)
    return float(np.mean([np.isin(*pair) for pair in zip(exact, found, strict=True)])), len(some)


def _create(client: "MilvusClient", collection: str, dim: int) -> None:
    from pymilvus import DataType

    schema = client.create_schema(auto_id=False)
    schema.add_field("id", DataType.INT64, is_primary=True)
    schema.add_field(FIELD, DataType.FLOAT_VECTOR, dim=dim)
    client.create_collection(collection, schema=schema, consistency_level="Bounded", timeout=PUSH_TIMEOUT_S)


def _build_index(client: "MilvusClient", collection: str, kind: str, n: int) -> None:
    """Give the collection of n vectors an index of this kind, unless it has one, and load it to be searched."""
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


def _parameters(kind: str, n: int) -> tuple[dict[str, int], dict[str, int]]:
    """How an index of n vectors is built, and how it is searched, as Milvus' documentation advises."""
    if kind == "IVF_FLAT":
        n_lists = max(16, int(4 * n**0.5))
        return {"nlist": n_lists}, {"nprobe": max(64, n_lists // 16)}
    if kind == "HNSW":
        return {"M": 16, "efConstruction": 200}, {"ef": 128}
    return {}, {}


def _count(client: "MilvusClient", collection: str, timeout_s: float) -> int:
    """How many vectors are there. Once they have been counted, a search finds them.

    Strong consistency waits until all that was brought is there to be searched. (`get_collection_stats` does not, and
    on a cluster it also counts vectors that were replaced.)
    """
    client.load_collection(collection, timeout=timeout_s)
    (counted,) = client.query(
        collection, filter="", output_fields=["count(*)"], consistency_level="Strong", timeout=timeout_s
    )
    return counted["count(*)"]


def _connect(server: str, *, make: bool = True) -> "MilvusClient":
    """A client of the server. A local file must be there already, unless it may be made."""
    is_remote = "://" in server
    if not is_remote:
        _check_file(server, make=make)
    try:
        from pymilvus import MilvusClient
    except ImportError:
        raise DataError(MISSING) from None
    if not is_remote and not find_spec("milvus_lite"):
        raise DataError(MISSING)
    # pymilvus logs what it also raises. What gRPC logs of Milvus Lite's calls does not matter.
    for logger in ("pymilvus", "grpc._server"):
        logging.getLogger(logger).setLevel(logging.CRITICAL)
    # Milvus Lite runs in this process: it must not be sought behind a proxy, and it refuses keepalive pings.
    options = {"grpc.enable_http_proxy": int(is_remote), "grpc.keepalive_permit_without_calls": int(is_remote)}
    with _answering(server):
        return MilvusClient(server, timeout=TIMEOUT_S, grpc_options=options)


def _check_file(path: str, *, make: bool) -> None:
    """Raise DataError unless Milvus Lite can open a file of this name: one that is there, or may be made there."""
    if not path.endswith(".db"):
        raise DataError(f"{path} is no address of Milvus: expected http://host:19530, or a local file ending in .db.")
    if make and not Path(path).resolve().parent.is_dir():
        raise DataError(f"{path} is not there: make its folder first.")
    if not make and not Path(path).exists():
        raise DataError(f"{path} is not there.")


@contextmanager
def _answering(server: str) -> Iterator[None]:
    """Turn what pymilvus and gRPC raise into a SearchError."""
    import grpc
    from pymilvus.exceptions import MilvusException

    try:
        yield
    except (MilvusException, grpc.RpcError, OSError) as error:
        code = getattr(error, "code", None)  # pymilvus has a number here, gRPC a function that gives a name
        what = getattr(error, "message", "") or (code().name if callable(code) else str(error))
        advice = (
            "Is the server there, and the address right?"
            if "://" in server
            else "Another process may have it open: one at a time can."
        )
        raise SearchError(f"Milvus at {server} does not answer ({what}). {advice}") from None
