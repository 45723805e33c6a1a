"""A class at once: thirty browser pages on one server. Each must get its own answers in time, and all that they send
must soon be on the wall that one page more shows.

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
from tempfile import TemporaryDirectory

import numpy as np
import psutil
from browser import OFFLINE, serving
from playwright.async_api import async_playwright
from projector import Projector
from pupil import LOST_S, PAUSE_S, Pupil

from autoencoder import artifacts
from autoencoder.classroom.store import ClassStore
from autoencoder.data import load_gallery
from autoencoder.measure.serving import browser_path
from autoencoder.measure.speed import machine
from autoencoder.query.engine import Engine

DRAWINGS = Path(__file__).parent.parent / "drawings.json"
TABLET, SCREEN = {"width": 820, "height": 1180}, {"width": 1280, "height": 720}
UNTHROTTLED = ["--disable-renderer-backgrounding", "--disable-background-timer-throttling"]
TO_REACH_S = 1.0  # for 95 % of the answers
TO_ARRIVE_S = 2.0  # for 95 % of what is sent
ENGINE_QUERIES, TO_REACH_MB = 10_000, 20
QUIET_S, TO_REACH_SHARE = 30, 0.05  # of a core, for a wall to which nothing comes


@dataclass(frozen=True)
class Held:
    """What a class has come to: the pupils, the server's memory in MB before and after, and seconds of CPU used.

    `arrived_at` has, by its number, when each drawing was on the wall, in ms since 1970; `on_wall` the numbers of those
    that were there at the end. `quiet_share` is the share of a core that the server took while nothing came.
    """

    pupils: list
    before_mb: float
    after_mb: float
    server_s: float
    browser_s: float
    arrived_at: dict
    on_wall: list
    quiet_share: float


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
        projector = Projector(await (await browser.new_context(viewport=SCREEN)).new_page())
        await projector.open(address)
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
        await asyncio.sleep(TO_ARRIVE_S)
        before_s = cpu_s([server])
        await asyncio.sleep(QUIET_S)
        quiet_share = (cpu_s([server]) - before_s) / QUIET_S
        arrived_at, on_wall = await projector.arrived_at(), await projector.on_wall()
        await browser.close()
    return Held(pupils, before_mb, after_mb, *used_s, arrived_at, on_wall, quiet_share)


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


@dataclass(frozen=True)
class Arrivals:
    """What came of the drawings: how many the pupils' pages called `sent`, how many are `kept` in the file and how many
    are on the `wall`. They `agree` where each is there once. `times_s` has after how many seconds each was on the wall.
    """

    sent: int
    kept: int
    wall: int
    agree: bool
    times_s: np.ndarray

    @classmethod
    def of(cls, held, kept):
        """`kept` is what the class' file holds."""
        sent_at = {text: at for pupil in held.pupils for text, at in pupil.sent_at.items()}
        numbers = {one.drawing: one.number for one in kept}
        agree = numbers.keys() == sent_at.keys() and sorted(held.on_wall) == sorted(one.number for one in kept)
        seen = [(held.arrived_at.get(numbers.get(text)), at) for text, at in sent_at.items()]
        times_s = np.array([LOST_S if there is None else (there - at) / 1000 for there, at in seen])
        return cls(len(sent_at), len(kept), len(held.on_wall), agree, times_s)

    @property
    def in_time(self):
        return np.mean(self.times_s <= TO_ARRIVE_S)


def report(held, arrivals, grown_mb, *, seconds):
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
        "with what was drawn. Times are from pen-up, click or key to the whole answer on the screen. What a pupil does",
        "after drawing is to send that to the class. One page more shows the class' wall.",
        "",
        "| question | answers | median | 95 % within | 99 % within | slowest |",
        "| --- | ---: | ---: | ---: | ---: | ---: |",
        *rows,
        "",
        f"- {in_time:.1%} of the answers came within {TO_REACH_S:g} s (to reach: 95 %).",
        f"- {n_failures} errors, wrong or lost answers.",
        f"- {arrivals.sent} drawings were sent; {arrivals.kept} are in the class' file, {arrivals.wall} on the wall: "
        f"{'each of them, and none twice' if arrivals.agree else 'NOT THE SAME'}.",
        f"- From the click to the wall: median {np.median(arrivals.times_s):.2f} s, 95 % within "
        f"{np.percentile(arrivals.times_s, 95):.2f} s, slowest {arrivals.times_s.max():.2f} s; "
        f"{arrivals.in_time:.1%} within {TO_ARRIVE_S:g} s (to reach: 95 %).",
        f"- While nothing came, the open wall and {len(held.pupils)} idle pages took {held.quiet_share:.1%} of a core "
        f"(to reach: at most {TO_REACH_SHARE:.0%}).",
        f"- The server's resident memory: {held.before_mb:.0f} MB with all pages open, "
        f"{held.after_mb:.0f} MB at the end.",
        f"- An answer took {1000 * held.server_s / n_answers:.0f} ms of the server's CPU time and "
        f"{1000 * held.browser_s / n_answers:.0f} ms of its browser's, which a class' tablets have of their own.",
        f"- {ENGINE_QUERIES:,} queries to one engine: {grown_mb:+.1f} MB (to reach: less than {TO_REACH_MB} MB).",
    ]
    is_class_reached = arrivals.agree and arrivals.in_time >= 0.95 and held.quiet_share <= TO_REACH_SHARE
    return "\n".join(lines), not n_failures and in_time >= 0.95 and grown_mb < TO_REACH_MB and is_class_reached


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pupils", type=int, default=30)
    parser.add_argument("--seconds", type=int, default=120)
    options = parser.parse_args()

    engine = Engine.load(load_gallery()[0], artifacts.DIRECTORY)
    grown_mb = engine_growth_mb(engine)
    with TemporaryDirectory() as folder:
        file = Path(folder) / "class.db"
        with serving(CLASS=str(file)) as address:
            held = asyncio.run(hold_class(address, engine, n_pupils=options.pupils, seconds=options.seconds))
        store = ClassStore(file)
        kept = store.sent()
        store.close()
    text, reached = report(held, Arrivals.of(held, kept), grown_mb, seconds=options.seconds)
    print(text)
    for failure in [failure for pupil in held.pupils for failure in pupil.failures][:20]:
        print(failure, file=sys.stderr)
    return 0 if reached else 1


if __name__ == "__main__":
    sys.exit(main())
