"""A class at once: thirty browser pages on one server, and whether each gets its own answers in time.

`make load` runs it and keeps what it prints in docs/load.md.
"""

import argparse
import asyncio
import json
import sys
import time
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import psutil
from browser import OFFLINE, serving
from playwright.async_api import async_playwright
from pupil import PAUSE_S, Pupil

from autoencoder import artifacts
from autoencoder.data import load_gallery
from autoencoder.measure.serving import browser_path
from autoencoder.measure.speed import machine
from autoencoder.query.engine import Engine

DRAWINGS = Path(__file__).parent.parent / "drawings.json"
TABLET = {"width": 820, "height": 1180}
UNTHROTTLED = ["--disable-renderer-backgrounding", "--disable-background-timer-throttling"]
TO_REACH_S = 1.0  # for 95 % of the answers
ENGINE_QUERIES, TO_REACH_MB = 10_000, 20


@dataclass(frozen=True)
class Held:
    """What a class has come to: the pupils, the server's memory in MB before and after, and seconds of CPU used."""

    pupils: list
    before_mb: float
    after_mb: float
    server_s: float
    browser_s: float


async def hold_class(address, engine, *, n_pupils, seconds):
    """Have the pupils play for so long; returns Held."""
    drawings = [
        [np.array(stroke, float) for stroke in strokes] for strokes in json.loads(DRAWINGS.read_text()).values()
    ]
    server = next(child for child in psutil.Process().children() if "streamlit" in child.cmdline())
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=browser_path(), args=["--no-sandbox", *OFFLINE, *UNTHROTTLED]
        )
        pupils = []
        for number in range(n_pupils):
            page = await (await browser.new_context(viewport=TABLET)).new_page()
            pupils.append(Pupil(page, number, engine, drawings))
            await pupils[-1].visit(address)
        before_mb, before_s = server.memory_info().rss / 1e6, (cpu_s([server]), cpu_s(browsers()))
        until = time.monotonic() + seconds
        await asyncio.gather(*(pupil.play(until) for pupil in pupils))
        used_s = np.subtract((cpu_s([server]), cpu_s(browsers())), before_s)
        after_mb = server.memory_info().rss / 1e6
        await browser.close()
    return Held(pupils, before_mb, after_mb, *used_s)


def browsers():
    return [child for child in psutil.Process().children(recursive=True) if "chrom" in child.name()]


def cpu_s(processes):
    """Seconds of CPU that the processes have used so far."""
    return sum(sum(process.cpu_times()[:2]) for process in processes)


def engine_growth_mb(engine):
    """By how many MB so many queries have this process grow."""
    rng = np.random.default_rng(0)
    for count in (ENGINE_QUERIES // 10, ENGINE_QUERIES):  # the first warm it
        before = psutil.Process().memory_info().rss
        for index in rng.integers(0, len(engine.gallery), count):
            engine.search(engine.gallery.images[index], exclude=index)
    return (psutil.Process().memory_info().rss - before) / 1e6


def report(held, grown_mb, *, seconds):
    """What was measured, as Markdown, and whether all that is to be reached was."""
    times_s = defaultdict(list)
    for pupil in held.pupils:
        for kind, times_ms in pupil.times_ms.items():
            times_s[kind] += [time_ms / 1000 for time_ms in times_ms]
    times_s = dict(sorted(times_s.items()))
    times_s["all"] = np.concatenate(list(times_s.values()))
    in_time = np.mean(times_s["all"] <= TO_REACH_S)
    n_failures = sum(len(pupil.failures) for pupil in held.pupils)
    n_answers = len(times_s["all"])
    rows = [
        f"| {kind} | {len(times)} | {' | '.join(f'{at:.2f} s' for at in np.percentile(times, [50, 95, 99, 100]))} |"
        for kind, times in times_s.items()
    ]
    lines = [
        "# A class at once",
        "",
        f"{len(held.pupils)} browser pages on one server for {seconds} s, each asking again {PAUSE_S[0]} to "
        f"{PAUSE_S[1]} s after an answer, all on one machine:",
        f"{machine()}.",
        "",
        "Each answer's neighbors were compared with the engine's own to what the page's address asks, and each drawing",
        "with what was drawn. Times are from pen-up, click or key to the whole answer on the screen.",
        "",
        "| question | answers | median | 95 % within | 99 % within | slowest |",
        "| --- | ---: | ---: | ---: | ---: | ---: |",
        *rows,
        "",
        f"- {in_time:.1%} of the answers came within {TO_REACH_S:g} s (to reach: 95 %).",
        f"- {n_failures} errors, wrong or lost answers.",
        f"- The server's resident memory: {held.before_mb:.0f} MB with all pages open, "
        f"{held.after_mb:.0f} MB at the end.",
        f"- An answer took {1000 * held.server_s / n_answers:.0f} ms of the server's CPU time and "
        f"{1000 * held.browser_s / n_answers:.0f} ms of its browser's, which a class' tablets have of their own.",
        f"- {ENGINE_QUERIES:,} queries to one engine: {grown_mb:+.1f} MB (to reach: less than {TO_REACH_MB} MB).",
    ]
    return "\n".join(lines), not n_failures and in_time >= 0.95 and grown_mb < TO_REACH_MB


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pupils", type=int, default=30)
    parser.add_argument("--seconds", type=int, default=120)
    options = parser.parse_args()

    engine = Engine.load(load_gallery()[0], artifacts.DIRECTORY)
    grown_mb = engine_growth_mb(engine)
    with serving() as address:
        held = asyncio.run(hold_class(address, engine, n_pupils=options.pupils, seconds=options.seconds))
    text, reached = report(held, grown_mb, seconds=options.seconds)
    print(text)
    for failure in [failure for pupil in held.pupils for failure in pupil.failures][:20]:
        print(failure, file=sys.stderr)
    return 0 if reached else 1


if __name__ == "__main__":
    sys.exit(main())
