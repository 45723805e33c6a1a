"""Many visitors of one server, without browsers: each speaks Streamlit's protocol as a page does, draws, asks and
follows neighbors. Every answer is checked against the engine's own.

`make load VISITORS=300` runs it and keeps what it prints in docs/visitors.md.
"""

import argparse
import asyncio
import json
import random
import sys
import time
from collections import defaultdict
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import numpy as np
import psutil
from browser import serving
from pupil import WrongAnswerError, check_drawn, expected_answer
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from visitor import cookie_of
from websockets.asyncio.client import connect

from autoencoder import artifacts
from autoencoder.data import load_gallery
from autoencoder.ink.strokes import scale_to_canvas
from autoencoder.measure.speed import machine
from autoencoder.query.engine import Engine
from autoencoder.query.question import from_text

DRAWINGS = Path(__file__).parent.parent / "drawings.json"
N_NEIGHBORS = 4
ASKS_EVERY_S = 15
LOST_S = 60  # an answer that has not come by then is lost
WARM_UP, COME_AND_GO, AT_ONCE = 30, 1000, 10
LEFT_S, LOOK_EVERY_S = 300, 10  # the memory of those who have left is to be free by then
TO_REACH_S, TO_REACH_CPU_MS = 1.0, 25
TO_REACH_MB, TO_REACH_GROWTH_MB = 1.0, 20  # of a visitor; of the server, by all that have come and gone
CANVAS_OBJECT = {"type": "Path", "originX": "center", "originY": "center", "strokeWidth": 20, "stroke": "#ffffff"}


@dataclass
class Page:
    """What a page has been told: the ids of its widgets by key, what it shows, and the query of its address."""

    ids: dict = field(default_factory=dict)
    pictures: list = field(default_factory=list)
    distances: list = field(default_factory=list)
    exceptions: list = field(default_factory=list)
    fragment_id: str = ""
    query: str = ""

    def begin(self):
        """What comes now takes the place of what was there."""
        self.ids, self.pictures, self.distances = {}, [], []

    def take(self, message):
        """Take a ForwardMsg in, as a page does."""
        kind = message.WhichOneof("type")
        if kind == "page_info_changed":
            self.query = message.page_info_changed.query_string
        elif kind == "delta" and message.delta.HasField("new_element"):
            self._take_element(message.delta.new_element, message.delta.fragment_id)

    def _take_element(self, element, fragment_id):
        kind = element.WhichOneof("type")
        proto = getattr(element, kind)
        if kind == "imgs":
            self.pictures += [image.alt for image in proto.imgs if image.alt.startswith("neighbor ")]
        elif kind == "progress":
            self.distances.append(proto.text)
        elif kind == "exception":
            self.exceptions.append(proto.message)
        elif getattr(proto, "id", ""):
            self.ids[proto.id.partition("-")[2].partition("-")[2]] = proto.id  # $$ID-hash-key
            self.fragment_id = fragment_id or self.fragment_id


class Visitor:
    """One open page. `times_s` has the times to its answers by kind of question, `answers` what came, to be checked."""

    def __init__(self, socket, number, drawings):
        self._socket, self._drawings, self._rng = socket, drawings, random.Random(number)
        self._page, self._tab, self._canvas = Page(), "Draw", None
        self._to_draw = []
        self.times_s, self.answers, self.failures = defaultdict(list), [], []

    async def open(self):
        """Ask for the page as a browser does that opens it."""
        await self._ask()

    async def play(self, until):
        """Ask again and again until then, each 15 s on average."""
        await asyncio.sleep(self._rng.uniform(0, ASKS_EVERY_S))
        while time.monotonic() < until:
            began = time.monotonic()
            await self.ask_something()
            pause_s = self._rng.uniform(ASKS_EVERY_S - 5, ASKS_EVERY_S + 5)
            await asyncio.sleep(max(0.0, began + pause_s - time.monotonic()))

    async def ask_something(self):
        """Draw a stroke, take a random digit or follow a neighbor, and time the answer."""
        actions = [self._draw, self._draw, self._take_random, self._follow_neighbor]
        action = self._draw if self._to_draw else self._rng.choice(actions)
        try:
            await action()
        except Exception as error:  # noted, and the visitor goes on
            self.failures.append(f"{action.__name__}: {type(error).__name__}: {error}")

    async def _draw(self):
        """The next stroke of a drawing, of another one once that is finished."""
        await self._open_tab("Draw")
        if not self._to_draw:
            place = [self._rng.uniform(-20, 20), self._rng.uniform(-20, 20)]  # so that no two draw the same
            drawn = scale_to_canvas(self._rng.choice(self._drawings), self._rng.uniform(120, 220))
            self._to_draw, self._canvas = [stroke + place for stroke in drawn], []
        self._canvas.append(self._to_draw.pop(0))
        await self._timed("stroke", drawn=self._canvas)

    async def _take_random(self):
        await self._open_tab("Random")
        await self._timed("random", "random")

    async def _follow_neighbor(self):
        key = next((key for key in self._page.ids if "-neighbor-1-" in key), None)
        if key is None:  # there is no answer yet
            await self._take_random()
            return
        self._tab = "Random"
        await self._timed("neighbor", key)

    async def _open_tab(self, name):
        if self._tab != name:
            self._tab = name
            await self._ask()

    async def _timed(self, kind, clicked=None, drawn=None):
        before = self._page.query
        began = time.monotonic()
        try:
            await asyncio.wait_for(self._ask(clicked), LOST_S)
        finally:
            self.times_s[kind].append(time.monotonic() - began)
        if self._page.exceptions:
            raise WrongAnswerError(f"a traceback on the page: {self._page.exceptions.pop()}")
        if self._page.query == before:
            raise WrongAnswerError(f"the page's address stays {before}")
        self.answers.append((self._page.query, self._page.pictures, self._page.distances, list(drawn or [])))

    async def _ask(self, clicked=None):
        """Send the states of the page's widgets, one of them clicked, and take in what comes."""
        message = BackMsg()
        rerun = message.rerun_script
        rerun.query_string, rerun.fragment_id = self._page.query, self._page.fragment_id
        widgets, ids = rerun.widget_states.widgets, self._page.ids
        if "tab" in ids and clicked is None:
            widgets.add(id=ids["tab"]).string_array_value.data.append(self._tab)
        if self._canvas and "canvas" in ids:
            widgets.add(id=ids["canvas"], json_value=canvas_state(self._canvas))
        if clicked:
            widgets.add(id=ids[clicked], trigger_value=True)
        self._page.begin()
        await self._socket.send(message.SerializeToString())
        while True:
            received = ForwardMsg.FromString(await self._socket.recv())
            if received.WhichOneof("type") == "script_finished":
                return
            self._page.take(received)


def canvas_state(strokes):
    """The state of the canvas on which these strokes stand, as JSON."""
    objects = []
    for stroke in strokes:
        (left, top), path = (stroke.min(axis=0) + stroke.max(axis=0)) / 2, np.round(stroke, 2).tolist()
        commands = [["M", *path[0]], *(["L", *point] for point in path[1:])]
        objects.append(CANVAS_OBJECT | {"path": commands, "left": left, "top": top})
    return json.dumps({"drawing": {"raw": {"version": "7.4.0", "objects": objects}}})


@asynccontextmanager
async def visiting(address, token, number, drawings):
    """A Visitor who has opened the page, and leaves at the end of the block."""
    async with connect(
        f"ws://{urlsplit(address).netloc}/_stcore/stream",
        origin=address,
        additional_headers={"Cookie": f"_streamlit_xsrf={token}"},
        subprotocols=["streamlit", token],
        max_size=None,
        proxy=None,
    ) as socket:
        visitor = Visitor(socket, number, drawings)
        await visitor.open()
        yield visitor


@dataclass(frozen=True)
class Load:
    """What the visits came to: the visitors, the CPU's seconds that their answers took the server, and its resident
    memory in MB: before all visits, with all pages open, and after they have left and others have come and gone. It was
    free again `free_after_s` after the last had left, None if not within the time."""

    visitors: list
    server_s: float
    empty_mb: float
    full_mb: float
    left_mb: float
    free_after_s: float | None
    gone_mb: float


async def visit_at_once(address, token, drawings, *, n_visitors, seconds, server):
    """Have the visitors play for so long; returns them, the server's seconds of CPU, and its memory at the end."""
    async with AsyncExitStack() as pages:
        visitors = [
            await pages.enter_async_context(visiting(address, token, number, drawings)) for number in range(n_visitors)
        ]
        began_s, until = cpu_s(server), time.monotonic() + seconds
        await asyncio.gather(*(visitor.play(until) for visitor in visitors))
        return visitors, cpu_s(server) - began_s, memory_mb(server)


async def come_and_go(address, token, drawings, n_visitors):
    """Have so many visitors come, ask once and leave, ten at a time."""
    places = asyncio.Semaphore(AT_ONCE)

    async def come(number):
        async with places, visiting(address, token, number, drawings) as visitor:
            await visitor.ask_something()

    await asyncio.gather(*(come(number) for number in range(n_visitors)))


async def wait_until_free(server, to_reach_mb):
    """Wait until the server's memory is down to that, for so long as it may take; returns the seconds, or None."""
    began = time.monotonic()
    while memory_mb(server) > to_reach_mb:
        if time.monotonic() > began + LEFT_S:
            return None
        await asyncio.sleep(LOOK_EVERY_S)
    return time.monotonic() - began


async def measure(address, *, n_visitors, seconds):
    """Have the visitors come; returns Load."""
    drawings = [
        [np.array(stroke, float) for stroke in strokes] for strokes in json.loads(DRAWINGS.read_text()).values()
    ]
    server = next(child for child in psutil.Process().children() if "streamlit" in child.cmdline())
    token = cookie_of(address, urlsplit(address).netloc)
    await come_and_go(address, token, drawings, WARM_UP)
    await asyncio.sleep(LEFT_S / 2)
    empty_mb = memory_mb(server)
    visitors, server_s, full_mb = await visit_at_once(
        address, token, drawings, n_visitors=n_visitors, seconds=seconds, server=server
    )
    free_after_s = await wait_until_free(server, empty_mb + TO_REACH_GROWTH_MB)
    left_mb = memory_mb(server)
    await come_and_go(address, token, drawings, COME_AND_GO)
    await wait_until_free(server, left_mb)
    return Load(visitors, server_s, empty_mb, full_mb, left_mb, free_after_s, memory_mb(server))


def cpu_s(process):
    """Seconds of CPU that the process has used so far."""
    return sum(process.cpu_times()[:2])


def memory_mb(process):
    return process.memory_info().rss / 1e6


def failures_of(visitors, engine):
    """What went wrong: all that the visitors noted, and each answer that is not the engine's."""
    failures = [failure for visitor in visitors for failure in visitor.failures]
    for query, *shown, drawn in (answer for visitor in visitors for answer in visitor.answers):
        asked = from_text(parse_qs(query)["q"][0])
        expected = expected_answer(engine, asked, N_NEIGHBORS)
        if tuple(shown) != expected:
            failures.append(f"{query}: {shown} instead of {expected}")
        if drawn:
            try:
                check_drawn(asked, drawn)
            except WrongAnswerError as error:
                failures.append(str(error))
    return failures


def report(load, failures, *, seconds):
    """What was measured, as Markdown, and whether all that is to be reached was."""
    times_s = defaultdict(list)
    for visitor in load.visitors:
        for kind, times in visitor.times_s.items():
            times_s[kind] += times
    times_s = dict(sorted(times_s.items()))
    times_s["all"] = np.concatenate(list(times_s.values()))
    in_time = np.mean(times_s["all"] <= TO_REACH_S)
    n_visitors, n_answers = len(load.visitors), len(times_s["all"])
    cpu_ms, each_mb = 1000 * load.server_s / n_answers, (load.full_mb - load.empty_mb) / n_visitors
    gone_mb = load.gone_mb - load.left_mb
    rows = [
        f"| {kind} | {len(times)} | {' | '.join(f'{at:.2f} s' for at in np.percentile(times, [50, 95, 99, 100]))} |"
        for kind, times in times_s.items()
    ]
    freed = "not within" if load.free_after_s is None else f"{load.free_after_s:.0f} s after the last had left, of"
    lines = [
        "# Many visitors",
        "",
        f"{n_visitors} visitors of one server for {seconds} s, each asking every {ASKS_EVERY_S} s, on one machine:",
        f"{machine()}.",
        "",
        "They are no browsers: each speaks Streamlit's protocol as a page does. A question is a stroke, a random digit",
        "or a neighbor to follow. Every answer was compared with the engine's own, and each drawing with what was",
        "drawn. Times are from the question to the last message of the answer.",
        "",
        "| question | answers | median | 95 % within | 99 % within | slowest |",
        "| --- | ---: | ---: | ---: | ---: | ---: |",
        *rows,
        "",
        f"- {in_time:.1%} of the answers came within {TO_REACH_S:g} s (to reach: 95 %).",
        f"- {len(failures)} errors, wrong or lost answers.",
        f"- An answer took {cpu_ms:.0f} ms of the server's CPU time (to reach: {TO_REACH_CPU_MS} ms).",
        f"- A visitor took {each_mb:.2f} MB of the server's memory (to reach: {TO_REACH_MB:g} MB): "
        f"{load.empty_mb:.0f} MB before, {load.full_mb:.0f} MB with all pages open.",
        f"- It was free again, but for {TO_REACH_GROWTH_MB} MB, {freed} {LEFT_S} s.",
        f"- {COME_AND_GO:,} more visitors who came, asked once and left: {gone_mb:+.0f} MB "
        f"(to reach: ± {TO_REACH_GROWTH_MB} MB).",
    ]
    is_light = cpu_ms <= TO_REACH_CPU_MS and each_mb <= TO_REACH_MB
    is_freed = load.free_after_s is not None and abs(gone_mb) <= TO_REACH_GROWTH_MB
    return "\n".join(lines), not failures and in_time >= 0.95 and is_light and is_freed


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--visitors", type=int, default=300)
    parser.add_argument("--seconds", type=int, default=120)
    options = parser.parse_args()

    with serving() as address:
        load = asyncio.run(measure(address, n_visitors=options.visitors, seconds=options.seconds))
    failures = failures_of(load.visitors, Engine.load(load_gallery()[0], artifacts.DIRECTORY))
    text, reached = report(load, failures, seconds=options.seconds)
    print(text)
    for failure in failures[:20]:
        print(failure, file=sys.stderr)
    return 0 if reached else 1


if __name__ == "__main__":
    sys.exit(main())
