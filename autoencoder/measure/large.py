"""How large a gallery can be: time and memory of the exact search up to 10,000,000 vectors, and Milvus beside it."""

import os
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from importlib.util import find_spec
from pathlib import Path

import numpy as np

from autoencoder.query.search import exact_search
from autoencoder.spaces import LATENT_DIM

SIZES = (100_000, 1_000_000, 10_000_000)
LARGER = (100_000_000, 1_000_000_000)  # than can be measured here
IMAGE_BYTES, LATENT_BYTES = 28 * 28, LATENT_DIM * 4
DISK_BYTES_PER_S = 1e9  # a usual one
WRITTEN_AT_ONCE = 100_000
N_QUERIES = 50
N_TOGETHER = 256
N_OF_TEST_SET, N_AT_SERVER = 10_000, 1_000_000
INDEXES = ("FLAT", "IVF_FLAT", "HNSW")
HOW_TO_READ = f"""\
Random vectors of 32 numbers in a file that is mapped into memory; up to 1,000,000 are searched in memory, more in
blocks where they are. One query: the median and the 99th percentile of a call in milliseconds, 4 neighbors each; of
{N_TOGETHER} searched together, the time of each. Memory is the most that the process takes besides the file, while it
searches those {N_TOGETHER}. To open is without the verification of a gallery's files. Milvus Lite has the latents of
MNIST's 60,000 training digits. A Milvus server on the same machine has those of 10,000 of them, of all, and
{N_AT_SERVER:,} made of them, each moved by a tenth of their deviation; there the vectors are brought once and then
indexed anew. What larger galleries take is computed from the largest that was measured: where the latents fit into
memory a query's time grows with their number; where they do not, it waits for a disk of 1 GB/s, which is computed in
each row."""


def benchmark_large(latents, server=None):
    """All of it, as it comes: (what, {row: {figure: value}}).

    Args:
        latents: float32 (n, 32), real ones, for Milvus.
        server: the address of a Milvus server, if there is one.
    """
    with tempfile.TemporaryDirectory() as folder:
        measured = {n: exact(n, Path(folder)) for n in SIZES}
        yield "exact search", {f"{n:,}": figures for n, figures in measured.items()}
        yield "gallery", expected(measured)
        if find_spec("pymilvus"):
            addresses = {index: str(Path(folder) / f"{index}.db") for index in INDEXES}
            yield f"{len(latents):,} vectors in Milvus Lite", milvus(latents, "Milvus Lite", addresses)
        if server:
            addresses = dict.fromkeys(INDEXES, server)
            for vectors in (latents[:N_OF_TEST_SET], latents, multiplied(latents, N_AT_SERVER)):
                yield f"{len(vectors):,} vectors at a server", milvus(vectors, "Milvus server", addresses)


def exact(n, folder, *, seed=0):
    """The exact search among n random vectors in a file: its size, the time to open it and to search, memory."""
    path = folder / "vectors.npy"
    queries = write_vectors(path, n, seed=seed)
    before = _own_memory_bytes()
    start = time.perf_counter()
    nearest = exact_search(np.load(path, mmap_mode="r", allow_pickle=False))
    opened_s = time.perf_counter() - start
    times_ms = _times_ms(nearest, queries[:N_QUERIES])
    start = time.perf_counter()
    nearest.kneighbors(queries)
    together_s = time.perf_counter() - start
    peak_bytes = _peak_bytes(lambda: nearest.kneighbors(queries))
    figures = {
        "file_mb": path.stat().st_size / 1e6,
        "open_s": opened_s,
        **times_ms,
        "together_ms": 1000 * together_s / len(queries),
        "memory_mb": (peak_bytes - before) / 1e6,
    }
    path.unlink()
    return figures


def expected(measured):
    """How large galleries are, and how long an exact query takes there: as measured, or computed for larger ones.

    Args:
        measured: {n: {"median_ms"}} of the exact search among n vectors.
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


def write_vectors(path, n, *, seed):
    """Write n random vectors, some at a time; returns queries float32 (256, 32) of their kind."""
    rng = np.random.default_rng(seed)
    vectors = np.lib.format.open_memmap(path, "w+", np.float32, (n, LATENT_DIM))
    for start in range(0, n, WRITTEN_AT_ONCE):
        vectors[start : start + WRITTEN_AT_ONCE] = rng.standard_normal(
            (min(WRITTEN_AT_ONCE, n - start), LATENT_DIM), np.float32
        )
    vectors.flush()
    return rng.standard_normal((N_TOGETHER, LATENT_DIM), np.float32)


def multiplied(latents, n, *, seed=0):
    """So many vectors float32 (n, 32) of the kind of the latents: random ones of them, each moved a little."""
    rng = np.random.default_rng(seed)
    moves = rng.standard_normal((n, latents.shape[1]), np.float32) * (latents.std(axis=0) / 10)
    return latents[rng.integers(0, len(latents), n)] + moves


def milvus(vectors, name, addresses):
    """Milvus by each index beside the exact search: time to bring and index the vectors, to search, and recall@4.

    Args:
        vectors: float32 (n, 32).
        name: what to call it.
        addresses: {index: the address to bring them to}; where it is the same, another index is built over them.
    """
    from autoencoder.gallery.milvus import MilvusNearestNeighbors, drop, measure_recall, push

    collection = f"benchmark_{len(vectors)}_{os.getpid()}"
    queries = vectors[np.linspace(0, len(vectors) - 1, N_QUERIES).astype(int)]
    rows = {"ours": {"prepared_s": 0.0, **_times_ms(exact_search(vectors), queries), "recall_at_4": 1.0}}
    try:
        for index, address in addresses.items():
            start = time.perf_counter()
            push(vectors, address, collection, index=index)
            prepared_s = time.perf_counter() - start
            times_ms = _times_ms(MilvusNearestNeighbors(address, vectors, collection), queries)
            recall, _ = measure_recall(vectors, address, collection)
            rows[f"{name}, {index}"] = {"prepared_s": prepared_s, **times_ms, "recall_at_4": recall}
    finally:
        for address in set(addresses.values()):
            drop(address, collection)
    return rows


def _times_ms(nearest, queries):
    nearest.kneighbors(queries[:1])
    times_ms = []
    for query in queries:
        start = time.perf_counter()
        nearest.kneighbors(query[None])
        times_ms.append(1000 * (time.perf_counter() - start))
    return {"median_ms": float(np.median(times_ms)), "p99_ms": float(np.percentile(times_ms, 99))}


def _peak_bytes(task):
    """The most that this process has in memory, besides mapped files, while it does a task."""
    peak = 0
    with ThreadPoolExecutor() as pool:
        working = pool.submit(task)
        while not working.done():
            peak = max(peak, _own_memory_bytes())
            time.sleep(0.001)
        working.result()
    return peak


def _own_memory_bytes():
    """What this process has in memory besides mapped files."""
    import psutil  # of the tests' packages

    memory = psutil.Process().memory_info()
    return memory.rss - getattr(memory, "shared", 0)  # which Linux alone tells
