"""The README's pictures: `make screenshots`."""

import json
from pathlib import Path

from browser import WITH_GRAPHICS, chromium, draw, serving, settle

TESTS = Path(__file__).parent
PICTURES = TESTS.parent / "docs"


QUERY = 33  # a 4 that the spaces disagree about
# The pages and how high their pictures are: a lens fits the first screen.
PAGES = dict.fromkeys(("why", "compare", "map", "morph", "noise", "shift", "pca", "speed", "failures"), 720) | {
    "about": 1400
}


def main():
    """Draw a 3 on the Search page, ask for a digit of the gallery on the others, and keep what they show."""
    (PICTURES / "pages").mkdir(parents=True, exist_ok=True)
    three = json.loads((TESTS / "drawings.json").read_text("utf-8"))["3"]
    with serving() as address, chromium(*WITH_GRAPHICS) as browser:
        page = browser.new_page(viewport={"width": 1280, "height": 720})
        page.goto(address)
        page.locator("canvas.upper-canvas").wait_for()
        draw(page, three)
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


if __name__ == "__main__":
    main()
