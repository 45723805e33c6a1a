"""How large a gallery can be: time and memory of the exact search up to 10,000,000 vectors, and Milvus beside it."""

import os
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from autoencoder.data import N_TEST
from autoencoder.gallery.milvus import INDEX_TYPES, MilvusNearestNeighbors, drop, measure_recall, push
from autoencoder.measure.speed import median_and_p99
from autoencoder.query.search import LARGEST_IN_MEMORY, Searcher, exact_search
from autoencoder.spaces import LATENT_DIM

SIZES = (100_000, 1_000_000, 10_000_000)
LARGER = (100_000_000, 1_000_000_000)  # too many to be measured here
IMAGE_BYTES, LATENT_BYTES = 28 * 28, LATENT_DIM * 4
DISK_BYTES_PER_S = 1e9  # a usual one
WRITTEN_AT_ONCE = 100_000
N_QUERIES = 50
N_TOGETHER = 256
N_AT_SERVER = 1_000_000
HOW_TO_READ = f"""\
Random vectors of {LATENT_DIM} numbers in a file that is mapped into memory; up to {LARGEST_IN_MEMORY:,} are searched
in memory, more in blocks where they are. One query: the median and the 99th percentile of a call in milliseconds, 4
neighbors each; of {N_TOGETHER} searched together, the time of each. Memory is the most that the process takes besides
the file while it searches those {N_TOGETHER}. Opening does not include the verification of a gallery's files. Milvus
Lite has the latents of MNIST's 60,000 training digits. A Milvus server on the same machine has those of {N_TEST:,} of
them, of all, and {N_AT_SERVER:,} made of them, each moved by a tenth of their deviation; there the vectors are brought
once and then indexed anew. What larger galleries take is computed from the largest that was measured: where the latents
fit into memory, a query's time grows with their number; where they do not, it waits for a disk of 1 GB/s, and each row
has that time, too."""


def benchmark_large(
    latents: NDArray[np.float32], server: str | None = None
) -> Iterator[tuple[str, dict[str, dict[str, float]]]]:
    """Measure large galleries, and Milvus where it is installed; yields (what, {row: {figure: value}}) one by one.

    Args:
        latents: float32 (n, 32), real ones, for Milvus.
        server: the address of a Milvus server, if there is one.
    """
    with tempfile.TemporaryDirectory() as folder:
        measured = {n: exact(n, Path(folder)) for n in SIZES}
        yield "exact search", {f"{n:,}": figures for n, figures in measured.items()}
        yield "gallery", expected(measured)
        if find_spec("pymilvus"):
            files = {index: str(Path(folder) / f"{index}.db") for index in INDEX_TYPES}
            yield f"{len(latents):,} vectors in Milvus Lite", milvus(latents, "Milvus Lite", files)
        if server:
            for vectors in (latents[:N_TEST], latents, multiplied(latents, N_AT_SERVER)):
                figures = milvus(vectors, "Milvus server", dict.fromkeys(INDEX_TYPES, server))
                yield f"{len(vectors):,} vectors at a server", figures


def exact(n: int, folder: Path, *, seed: int = 0) -> dict[str, float]:
    """The exact search among n random vectors in a file: its size, the time to open it and to search, memory."""
    path = folder / "vectors.npy"
    queries = write_vectors(path, n, seed=seed)
    before = _own_memory_bytes()
    start = time.perf_counter()
    nearest = exact_search(np.load(path, mmap_mode="r", allow_pickle=False))
    opened_s = time.perf_counter() - start
    one_by_one = _search_one_by_one(nearest, queries[:N_QUERIES])
    start = time.perf_counter()
    nearest.kneighbors(queries)
    together_s = time.perf_counter() - start
    peak_bytes = _peak_bytes(lambda: nearest.kneighbors(queries))
    figures = {
        "file_mb": path.stat().st_size / 1e6,
        "open_s": opened_s,
        **one_by_one,
        "together_ms": 1000 * together_s / len(queries),
        "memory_mb": (peak_bytes - before) / 1e6,
    }
    path.unlink()
    return figures


def expected(measured: Mapping[int, Mapping[str, float]]) -> dict[str, dict[str, float]]:
    """How large galleries are, and how long an exact query takes there: as measured, or computed for larger ones.

    Args:
        measured: {n: {"median_ms": …}} of the exact search among n vectors.
    """
    largest = max(measured)
    rows = {}
    for n in (*measured, *LARGER):
        in_memory_ms = measured[n]["median_ms"] if n in measured else measured[largest]["median_ms"] * n / largest
        rows[f"{n:,}, {'measured' if n in measured else 'computed'}"] = {
            "latents_gb": n * LATENT_BYTES / 1e9,
            "images_gb": n * IMAGE_BYTES / 1e9,
            "query_in_memory_s": in_memory_ms / 1000,
            "query_from_disk_s": n * LATENT_BYTES / DISK_BYTES_PER_S,
        }
    return rows


def write_vectors(path: Path, n: int, *, seed: int) -> NDArray[np.float32]:
    """Write n random vectors, some at a time; returns queries (256, 32) of their kind."""
    rng = np.random.default_rng(seed)
    vectors = np.lib.format.open_memmap(path, "w+", np.float32, (n, LATENT_DIM))
    for start in range(0, n, WRITTEN_AT_ONCE):
        some = vectors[start : start + WRITTEN_AT_ONCE]
        some[:] = rng.standard_normal(some.shape, np.float32)
    vectors.flush()
    return rng.standard_normal((N_TOGETHER, LATENT_DIM), np.float32)


def multiplied(latents: NDArray[np.float32], n: int, *, seed: int = 0) -> NDArray[np.float32]:
    """Vectors (n, 32) made of fewer latents: random ones of them, each moved a little."""
    rng = np.random.default_rng(seed)
    moves = rng.standard_normal((n, latents.shape[1]), np.float32) * (latents.std(axis=0) / 10)
    return latents[rng.integers(0, len(latents), n)] + moves


def milvus(vectors: NDArray[np.float32], name: str, servers: Mapping[str, str]) -> dict[str, dict[str, float]]:
    """Milvus by each index beside the exact search: time to bring and index the vectors, to search, and recall@4.

    Args:
        vectors: float32 (n, 32).
        name: what to call it.
        servers: {index: the server or file to bring them to}; where it is the same, another index is built over them.
    """
    collection = f"benchmark_{len(vectors)}_{os.getpid()}"
    queries = vectors[np.linspace(0, len(vectors) - 1, N_QUERIES).astype(int)]
    ours = _search_one_by_one(exact_search(vectors), queries)
    rows = {"ours": {"prepared_s": 0.0, **ours, "recall_at_4": 1.0}}
    try:
        for index, server in servers.items():
            start = time.perf_counter()
            push(vectors, server, collection, index=index)
            prepared_s = time.perf_counter() - start
            one_by_one = _search_one_by_one(MilvusNearestNeighbors(server, vectors, collection), queries)
            recall, _ = measure_recall(vectors, server, collection)
            rows[f"{name}, {index}"] = {"prepared_s": prepared_s, **one_by_one, "recall_at_4": recall}
    finally:
        for server in set(servers.values()):
            drop(server, collection)
    return rows


def _search_one_by_one(nearest: Searcher, queries: NDArray[np.float32]) -> dict[str, float]:
    """How long the search for each of the queries (n_queries, 32) takes, as `median_and_p99` gives it."""
    nearest.kneighbors(queries[:1])
    times_ms = []
    for query in queries:
        start = time.perf_counter()
        nearest.kneighbors(query[None])
        times_ms.append(1000 * (time.perf_counter() - start))
    return median_and_p99(times_ms)


def _peak_bytes(task: Callable[[], Any]) -> int:
    """The most that this process has in memory, besides mapped files, while it does a task."""
    peak = 0
    with ThreadPoolExecutor() as pool:
        working = pool.submit(task)
        while not working.done():
            peak = max(peak, _own_memory_bytes())
            time.sleep(0.001)
        working.result()
    return peak


def _own_memory_bytes() -> int:
    """What this process has in memory besides mapped files."""
    import psutil  # of the tests' packages

    memory = psutil.Process().memory_info()
    return memory.rss - getattr(memory, "shared", 0)  # only Linux tells how much is shared
