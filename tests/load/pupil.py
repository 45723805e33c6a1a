"""A visitor with a page of their own, who draws, sends to the class, asks and plays, and checks each answer against the
engine's."""

import asyncio
import random
import time
from collections import defaultdict
from urllib.parse import parse_qs, urlsplit

import numpy as np

from autoencoder.ink.strokes import CANVAS_PX, scale_to_canvas
from autoencoder.query.question import Drawing, Hint, from_text
from autoencoder.query.verdict import named

PAUSE_S = 5, 25  # from one answer to the next question
MOVES = 12  # of the pointer in a stroke: each costs the browser, which shares the machine with the server
NEAR_PX = 6  # the canvas smooths a stroke, and the address has it in whole pixels
LOST_S = 30  # an answer that has not come by then is lost

# What the page shows of an answer.
SHOWN = """() => ({
    pictures: [...document.querySelectorAll('[alt^="neighbor "], [alt^="the "]')].map(({alt, src}) => [alt, src]),
    distances: [...document.querySelectorAll('[data-testid=stProgress]')].map(bar => bar.textContent.trim()),
    sent: document.querySelector('.st-key-send')?.textContent.includes('Sent:'),
})"""
# Promises the time in ms from the next lift of pointer or key to a page that shows another answer and runs no more.
TIMED = """() => { window.timed = new Promise(done => {
    const shown = () => JSON.stringify((SHOWN)())
    const before = shown()
    let asked
    const ask = () => {
        if (asked) return
        asked = performance.now()
        window.askedAt = Date.now()
    }
    for (const lift of ['pointerup', 'keyup']) document.addEventListener(lift, ask, {once: true, capture: true})
    const observer = new MutationObserver(() => {
        const running = document.querySelector('[data-testid=stApp]').dataset.testScriptState !== 'notRunning'
        if (!asked || running || shown() === before) return
        observer.disconnect()
        done(performance.now() - asked)
    })
    observer.observe(document.body, {subtree: true, childList: true, attributes: true, characterData: true})
}) }""".replace("SHOWN", SHOWN)


class WrongAnswerError(Exception):
    """A page shows something else than the engine answers to what it was asked."""


def expected_answer(engine, asked, n_neighbors):
    """The texts of the neighbors' pictures and bars for what was asked."""
    try:
        query = asked.to_query(engine.gallery)
    except Hint:
        ranks = range(1, n_neighbors + 1)
        return [f"neighbor {rank}, not shown" for rank in ranks], [""] * n_neighbors
    neighbors = engine.search(query.digit, n_neighbors, exclude=query.index).neighbors
    pictures = [f"neighbor {rank}, {named(found.label)}" for rank, found in enumerate(neighbors, 1)]
    return pictures, [f"distance {found.distance:.2f}" for found in neighbors]


def check_drawn(asked, strokes):
    """Raise WrongAnswerError unless what was asked is what was drawn."""
    ends = [(stroke[0], stroke[-1]) for stroke in strokes]
    if not isinstance(asked, Drawing) or len(asked.strokes) != len(strokes):
        raise WrongAnswerError(f"{len(strokes)} strokes were drawn, and another question is answered: {asked}")
    pairs = zip(asked.strokes, ends, strict=True)
    far = [np.abs(np.subtract((got[0], got[-1]), drawn)).max() for got, drawn in pairs]
    if max(far) > NEAR_PX:
        raise WrongAnswerError(f"a stroke that is {max(far):.0f} px from the drawn one is answered")


class Pupil:
    """One visitor: `times_ms`, of each kind of question the times to its answers, and `failures`, what went wrong.

    `sent_at` has, by the text of each drawing that the page called sent, when that was asked for, in ms since 1970.
    """

    def __init__(self, page, number, engine, drawings):
        self.page, self.engine, self.drawings = page, engine, drawings
        self.rng = random.Random(number)
        self.times_ms = defaultdict(list)
        self.failures = []
        self.sent_at = {}
        self.has_drawn = False  # what is not sent yet
        page.on("console", lambda message: self._note(message.text) if message.type == "error" else None)
        page.on("pageerror", lambda error: self._note(str(error)))

    async def visit(self, server):
        await self.page.goto(server)
        await self.page.get_by_role("heading", name="Draw a digit from 0 to 9").wait_for(timeout=60_000)
        await self.page.locator("canvas.upper-canvas").wait_for()
        await self._settle()

    async def play(self, until):
        while time.monotonic() < until:
            await asyncio.sleep(self.rng.uniform(*PAUSE_S))
            actions = [
                self.draw,
                self.draw,
                self.ask_random,
                self.follow_neighbor,
                self.set_number,
                self.show_difference,
            ]
            action = self.send if self.has_drawn else self.rng.choice(actions)
            try:
                await action()
            except Exception as error:  # noted, and the pupil goes on
                self._note(f"{action.__name__}: {type(error).__name__}: {error}")

    async def draw(self):
        await self.page.get_by_role("radio", name="Draw").click()
        await self.page.locator("canvas.upper-canvas").wait_for()
        await self._settle()
        clear = self.page.locator(".st-key-clear button")
        if await clear.is_enabled():
            await clear.click()
            await self.page.get_by_role("heading", name="Draw a digit from 0 to 9").wait_for()
            await self._settle()
        box = await self.page.locator("canvas.upper-canvas").bounding_box()
        corner, enlarged = np.array([box["x"], box["y"]]), box["width"] / CANVAS_PX
        place = [self.rng.uniform(-20, 20), self.rng.uniform(-20, 20)]  # so that no two draw the same
        strokes = [
            stroke + place for stroke in scale_to_canvas(self.rng.choice(self.drawings), self.rng.uniform(120, 220))
        ]
        for number, stroke in enumerate(strokes, 1):
            asked = await self._timed("stroke", self._pen(enlarged * stroke + corner))
            check_drawn(asked, strokes[:number])
        self.has_drawn = True

    async def send(self):
        """Send the drawing to the class, with the digit that most of its look-alikes show."""
        self.has_drawn = False
        button = self.page.get_by_role("button", name="Send to the class")
        asked = await self._timed("send", button.click())
        if not (await self.page.evaluate(SHOWN))["sent"]:
            raise WrongAnswerError("a drawing was sent, and the page does not say so")
        self.sent_at[asked.to_text()] = await self.page.evaluate("window.askedAt")

    async def ask_random(self):
        await self._timed("random", self.page.locator(".st-key-random button").click())

    async def follow_neighbor(self):
        if "q=" not in self.page.url:
            return  # there is no answer yet
        await self._timed("neighbor", self.page.locator("[class*='-neighbor-1-'] button:visible").click())

    async def show_difference(self):
        if "q=" not in self.page.url:
            return
        await self._open_options()
        await self._timed("switch", self.page.get_by_text("Show the difference").click())

    async def set_number(self):
        if "q=" not in self.page.url:
            return
        many = len((await self.page.evaluate(SHOWN))["distances"]) > 8
        await self._open_options()
        slider = self.page.get_by_role("slider", name="Neighbors")
        await self._timed("slider", slider.press("ArrowLeft" if many else "ArrowRight"))

    async def _open_options(self):
        """Open what is folded away behind the button "Options", unless it is open."""
        if not await self.page.get_by_text("Show the difference").is_visible():
            await self.page.locator(".st-key-options button").first.click()

    async def _pen(self, path):
        await self.page.mouse.move(*path[0])
        await self.page.mouse.down()
        for point in path[1 :: len(path) // MOVES + 1]:
            await self.page.mouse.move(*point)
        await self.page.mouse.move(*path[-1])
        await self.page.mouse.up()

    async def _timed(self, kind, action):
        """Do it, wait for the answer and check it; returns what the address says was asked."""
        await self.page.evaluate(TIMED)
        await action
        try:
            time_ms = await asyncio.wait_for(self.page.evaluate("window.timed"), LOST_S)
        except TimeoutError:
            self.times_ms[kind].append(1000 * LOST_S)
            raise
        self.times_ms[kind].append(time_ms)
        shown = await self.page.evaluate(SHOWN)
        parameters = {key: values[0] for key, values in parse_qs(urlsplit(self.page.url).query).items()}
        asked = from_text(parameters["q"])
        expected = expected_answer(self.engine, asked, int(parameters.get("neighbors", 4)))
        found = [alt for alt, _ in shown["pictures"] if alt.startswith("neighbor ")], shown["distances"]
        if found != expected:
            raise WrongAnswerError(f"{parameters}: {found} instead of {expected}")
        if await self.page.locator("[data-testid=stException]").count():
            raise WrongAnswerError("a traceback on the page")
        return asked

    async def _settle(self):
        await self.page.wait_for_timeout(400)  # what was just done takes a moment to reach the server
        await self.page.locator("[data-testid=stApp][data-test-script-state=notRunning]").wait_for()

    def _note(self, failure):
        self.failures.append(failure)
