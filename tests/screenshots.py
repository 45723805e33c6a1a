"""The README's pictures: python tests/screenshots.py, or make screenshots."""

import json
from pathlib import Path

from browser import chromium, draw, serving, settle

TESTS = Path(__file__).parent
PICTURES = TESTS.parent / "docs"


def main():
    """Draw a 3 on the page and keep what it shows."""
    PICTURES.mkdir(exist_ok=True)
    three = json.loads((TESTS / "drawings.json").read_text("utf-8"))["3"]
    with serving() as address, chromium() as browser:
        page = browser.new_page(viewport={"width": 1280, "height": 660})
        page.goto(address)
        page.locator("canvas.upper-canvas").wait_for()
        draw(page, three)
        page.get_by_text("distance").nth(3).wait_for()
        page.mouse.move(0, 0)
        settle(page)
        page.wait_for_timeout(1500)  # the bars grow
        page.screenshot(path=PICTURES / "search.png")


if __name__ == "__main__":
    main()
