"""The README's pictures: `make screenshots`."""

from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from browser import WITH_GRAPHICS, chromium, draw, serving, settle
from classes import STROKES

from autoencoder import artifacts
from autoencoder.classroom.room import Classroom
from autoencoder.data import load_gallery
from autoencoder.ink.strokes import scale_to_canvas
from autoencoder.query.engine import Engine
from autoencoder.query.question import Drawing

PICTURES = Path(__file__).parent.parent / "docs"

QUERY = 33  # a 4 that the spaces disagree about
# The pages and how high their pictures are: a lens fits the first screen.
PAGES = dict.fromkeys(("why", "compare", "map", "morph", "noise", "shift", "pca", "speed", "failures"), 720) | {
    "about": 1400
}
CLASS_OF = 64  # drawings


def main():
    """Draw a 3 on the Search page, ask for a digit of the gallery on the others, and keep what they show."""
    (PICTURES / "pages").mkdir(parents=True, exist_ok=True)
    with serving() as address, chromium(*WITH_GRAPHICS) as browser:
        page = browser.new_page(viewport={"width": 1280, "height": 720})
        page.goto(address)
        page.locator("canvas.upper-canvas").wait_for()
        draw(page, STROKES[3])
        page.get_by_text("distance").nth(3).wait_for()
        page.mouse.move(0, 0)
        settle(page)
        page.screenshot(path=PICTURES / "search.png")
        for name, height in PAGES.items():
            page.set_viewport_size({"width": 1280, "height": height})
            page.goto(f"{address}/{name}?q=mnist-{QUERY}")
            page.get_by_role("heading").first.wait_for()
            page.wait_for_timeout(4000)  # charts are drawn after the page's run has ended
            settle(page)
            page.screenshot(path=PICTURES / "pages" / f"{name}.png")
    with TemporaryDirectory() as folder, chromium(*WITH_GRAPHICS) as browser:
        file = Path(folder) / "class.db"
        fill_class(file)
        with serving(CLASS=str(file)) as address:
            page = browser.new_page(viewport={"width": 1280, "height": 720})
            page.goto(f"{address}/class")
            page.locator(".wall").wait_for()
            settle(page)
            page.screenshot(path=PICTURES / "pages" / "class.png")


def fill_class(file):
    """Have a class' file hold the same few drawings, over and over, each time slanted in another way."""
    engine = Engine.load(load_gallery()[0], artifacts.DIRECTORY)
    room = Classroom(file, engine.space)
    rng = np.random.default_rng(0)
    sent = []
    for number in range(CLASS_OF):
        digit = int(rng.choice(list(STROKES)))
        hand = np.array([[rng.uniform(0.3, 1.5), rng.normal(0, 0.3)], [rng.normal(0, 0.5), 1]])
        strokes = [np.array(stroke, float) @ hand for stroke in STROKES[digit]]
        sent.append((Drawing.of(scale_to_canvas(strokes, 170)), digit, 1_790_000_000.0 + number))
    room.bring(sent, engine)
    room.close()


if __name__ == "__main__":
    main()
