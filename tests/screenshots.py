"""The README's pictures: `make screenshots`."""

import json
from pathlib import Path

from browser import chromium, draw, serving, settle

TESTS = Path(__file__).parent
PICTURES = TESTS.parent / "docs"


QUERY = 33  # a 4 that the spaces disagree about
LESSONS = {
    "compare": 920,
    "map": 860,
    "morph": 880,
    "noise": 860,
    "shift": 900,
    "speed": 760,
    "pca": 760,
    "failures": 760,
}


def main():
    """Draw a 3 on the Search page, ask for a digit of the gallery on the others, and keep what they show."""
    (PICTURES / "pages").mkdir(parents=True, exist_ok=True)
    three = json.loads((TESTS / "drawings.json").read_text("utf-8"))["3"]
    with serving() as address, chromium() as browser:
        page = browser.new_page(viewport={"width": 1280, "height": 690})
        page.goto(address)
        page.locator("canvas.upper-canvas").wait_for()
        draw(page, three)
        page.get_by_text("distance").nth(3).wait_for()
        page.mouse.move(0, 0)
        settle(page)
        page.screenshot(path=PICTURES / "search.png")
        for name, height in LESSONS.items():
            page.set_viewport_size({"width": 1280, "height": height})
            page.goto(f"{address}/{name}?q=mnist-{QUERY}")
            page.get_by_role("heading").first.wait_for()
            page.wait_for_timeout(2500)  # charts are drawn after the page's run has ended
            settle(page)
            page.screenshot(path=PICTURES / "pages" / f"{name}.png")


if __name__ == "__main__":
    main()
