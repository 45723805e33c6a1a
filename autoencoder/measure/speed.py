"""How fast it is: the way of a query step by step, search beside other engines, encoding, and a server's start."""

import math
import os
import platform
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from autoencoder.ink.preprocess import digit_from_strokes
from autoencoder.ink.strokes import BRUSH_PX, simplify
from autoencoder.measure.serving import START_WAIT_S, browser_path, serving
from autoencoder.query.engine import Engine
from autoencoder.query.search import NearestNeighbors
from autoencoder.spaces import BATCH, LATENT_DIM, Latent

if TYPE_CHECKING:
    import keras

ROUNDS = 10  # the tasks take turns so often, so that a noisy moment of the machine falls on all alike
SIZES = ((10_000, LATENT_DIM), (100_000, LATENT_DIM), (1_000_000, LATENT_DIM), (10_000, 784))
STARTS = 3
HOW_TO_READ = """\
Median and 99th percentile of a call in milliseconds, and the median as a multiple of the first row's. One query is a
drawn 3. A search is for the 4 nearest of random vectors, by each engine as it comes. TensorFlow has one core, as in the
app. The first page is there when a browser draws its heading, the first answer when it draws the last neighbor."""
# The page notes in `drawnAt` when it draws its heading and when it draws the last neighbor, in ms since 1970.
NOTE_TIMES = """(() => {
    window.drawnAt = []
    const awaited = ["h2", "[alt^='neighbor 4, a']"]
    new MutationObserver(() => {
        while (awaited.length && document.querySelector(awaited[0])) {
            awaited.shift()
            requestAnimationFrame(() => drawnAt.push(Date.now()))
        }
    }).observe(document, {subtree: true, childList: true, attributes: true})
})()"""


def machine() -> str:
    """This machine in words: processor, cores, system and Python."""
    name = platform.processor() or platform.machine()
    if Path("/proc/cpuinfo").exists():
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        name = next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), name)
    return f"{name}, {os.cpu_count()} cores, {platform.system()}, Python {platform.python_version()}"


def benchmark(engine: Engine) -> Iterator[tuple[str, dict[str, dict[str, float]]]]:
    """Measure all that can be measured with what is installed; yields (what, {row: {figure: value}}) one by one."""
    yield "one query", query_steps(engine)
    for n, dim in SIZES:
        yield f"search among {n:,} × {dim}", searches(n, dim)
    yield "encoding a gallery", encoding(engine.space.encoder, engine.unseen.gallery.images[:])
    if find_spec("playwright") and find_spec("psutil") and browser_path():
        yield "a server's start", {"medians": starts()}


def take_turns(tasks: Mapping[str, Callable[[], Any]], *, n_calls: int) -> dict[str, dict[str, float]]:
    """How long each task takes beside the others.

    Args:
        tasks: {name: function without arguments}; each is called once first, unmeasured.
        n_calls: how often each is then called at least, in 10 rounds in which the tasks take turns.

    Returns:
        {name: {"median_ms", "p99_ms", "ratio"}}: what `median_and_p99` gives, and the median as a multiple of the first
        task's.
    """
    for task in tasks.values():
        task()
    times_ms: dict[str, list[float]] = {name: [] for name in tasks}
    for _ in range(ROUNDS):
        for name, task in tasks.items():
            for _ in range(math.ceil(n_calls / ROUNDS)):
                start = time.perf_counter()
                task()
                times_ms[name].append(1000 * (time.perf_counter() - start))
    figures = {name: median_and_p99(times) for name, times in times_ms.items()}
    first_ms = next(iter(figures.values()))["median_ms"]
    return {name: of_task | {"ratio": of_task["median_ms"] / first_ms} for name, of_task in figures.items()}


def median_and_p99(times_ms: Sequence[float]) -> dict[str, float]:
    """The median and the 99th percentile of times in milliseconds: {"median_ms", "p99_ms"}."""
    return {"median_ms": float(np.median(times_ms)), "p99_ms": float(np.percentile(times_ms, 99))}


def query_steps(engine: Engine, *, n_calls: int = 1000) -> dict[str, dict[str, float]]:
    """The way of a drawing to its answer, whole and step by step, as `take_turns` gives it.

    The whole is what the app does, with encoder and decoder in one graph; as steps each is a graph of its own.
    """
    import tensorflow as tf

    def graph(model: "keras.Model", shape: tuple[int, ...]) -> Callable[[tf.Tensor], tf.Tensor]:
        call = tf.function(lambda inputs: model(inputs, training=False), jit_compile=False)
        return call.get_concrete_function(tf.TensorSpec(shape, tf.float32))

    encode, decode = graph(engine.space.encoder, (1, 28, 28)), graph(engine.space.decoder, (1, LATENT_DIM))
    strokes = _three()
    digit = _digit(strokes)  # (28, 28)
    image, latent = tf.constant(digit[None]), tf.constant(engine.search(digit).latent[None])  # (1, 28, 28), (1, 32)
    return take_turns(
        {
            "whole: strokes to neighbors and reconstruction": lambda: engine.search(_digit(strokes)),
            "preprocess": lambda: _digit(strokes),
            "encode": lambda: encode(image).numpy(),
            "search": lambda: engine.nearest.kneighbors(latent.numpy()),
            "decode": lambda: decode(latent).numpy(),
        },
        n_calls=n_calls,
    )


def searches(n: int, dim: int, *, seed: int = 0) -> dict[str, dict[str, float]]:
    """One query's 4 nearest of n random vectors (n, dim) by each search engine, as `take_turns` gives it."""
    from sklearn.neighbors import NearestNeighbors as ScikitLearn

    rng = np.random.default_rng(seed)
    vectors = rng.standard_normal((n, dim), np.float32)
    query = rng.standard_normal((1, dim), np.float32)
    ours, scikit_learn = NearestNeighbors(vectors), ScikitLearn(algorithm="brute").fit(vectors)
    tasks = {
        "ours": lambda: ours.kneighbors(query),
        "scikit-learn, brute force": lambda: scikit_learn.kneighbors(query, 4),
        "NumPy, full sort": lambda: np.argsort(np.linalg.norm(vectors - query, axis=1), kind="stable")[:4],
    }
    if find_spec("faiss"):
        import faiss

        flat = faiss.IndexFlatL2(dim)
        flat.add(vectors)
        tasks["FAISS IndexFlatL2"] = lambda: flat.search(query, 4)
    return take_turns(tasks, n_calls=1000 if n * dim < 1e6 else 100)


def encoding(encoder: "keras.Model", images: NDArray[np.float32]) -> dict[str, dict[str, float]]:
    """Images (n, 28, 28) a second, in batches as this package encodes a gallery, and by Keras' own `predict`."""
    space = Latent(encoder, None)
    times = take_turns(
        {
            "ours": lambda: space.transform(images),
            "Keras predict": lambda: encoder.predict(images, batch_size=BATCH, verbose=0),
        },
        n_calls=ROUNDS,
    )
    return {
        name: {"images_per_s": 1000 * len(images) / figures["median_ms"], "ratio": figures["ratio"]}
        for name, figures in times.items()
    }


def starts(n_starts: int = STARTS) -> dict[str, float]:
    """From `streamlit run` to the first page in a browser and to its first answer, in seconds, and the memory then.

    The browser itself notes when it draws the page's heading and the last neighbor.

    Returns:
        {"first_page_s", "first_answer_s", "resident_mb"}: medians of so many starts.
    """
    import psutil
    from playwright.sync_api import sync_playwright

    measured = []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=browser_path(), args=["--no-sandbox"])
        for _ in range(n_starts):
            page = browser.new_page()
            page.add_init_script(NOTE_TIMES)
            start = time.time()
            with serving() as (address, process):
                page.goto(f"{address}/?q=mnist-0", wait_until="commit")
                page.wait_for_function("drawnAt.length == 2", timeout=1000 * START_WAIT_S)
                first_page_s, first_answer_s = np.array(page.evaluate("drawnAt")) / 1000 - start
                measured.append((first_page_s, first_answer_s, psutil.Process(process.pid).memory_info().rss / 1e6))
            page.close()
        browser.close()
    names = "first_page_s", "first_answer_s", "resident_mb"
    return dict(zip(names, np.median(measured, axis=0).tolist(), strict=True))


def format_tables(results: Mapping[str, Mapping[str, Mapping[str, float]]]) -> str:
    """What `benchmark` yields, collected as a dict, as Markdown: a table for each thing measured."""
    lines = []
    for what, rows in results.items():
        figures = list(next(iter(rows.values())))
        lines += ["", f"| {what} | {' | '.join(figures)} |", f"| --- |{' ---: |' * len(figures)}"]
        for name, row in rows.items():
            lines.append(f"| {name} | {' | '.join(_short(row[figure]) for figure in figures)} |")
    return "\n".join(lines).lstrip("\n")


def _short(number: float) -> str:
    """A number in three digits, or in all those before the point if they are more."""
    return f"{number:,.0f}" if number >= 100 else f"{number:.3g}"


def _digit(strokes: Sequence[NDArray[np.float64]]) -> NDArray[np.float32]:
    return digit_from_strokes(simplify(strokes), dot_size=BRUSH_PX)


def _three() -> list[NDArray[np.float64]]:
    """A 3 as the canvas gives it: one stroke of two arcs, 80 points."""
    angles = np.radians(np.linspace(-150, 90, 40))
    upper = np.column_stack([140 + 45 * np.cos(angles), 95 + 45 * np.sin(angles)])
    angles = np.radians(np.linspace(-90, 150, 40))
    lower = np.column_stack([140 + 50 * np.cos(angles), 190 + 50 * np.sin(angles)])
    return [np.concatenate([upper, lower])]
