"""How long from pen-up to the neighbours on the screen: `make latency`."""

import statistics

import numpy as np
from browser import chromium, serving, settle

ROUNDS, STROKES = 8, 3
# From the browser's mouseup to the first change of what the model sees after it.
WATCH = """() => new Promise(done => {
    const shown = () => document.querySelector('[alt="the query as the model sees it"]')?.src
    const before = shown()
    let lifted
    document.addEventListener('mouseup', () => lifted = performance.now(), {once: true, capture: true})
    new MutationObserver((_, observer) => {
        if (!lifted || !shown() || shown() === before) return
        observer.disconnect()
        requestAnimationFrame(() => done(performance.now() - lifted))
    }).observe(document.body, {subtree: true, childList: true, attributes: true})
})"""


def main():
    """Draw a few strokes, clear, and again; print the median and the 90th percentile."""
    rng = np.random.default_rng(0)
    times_ms = []
    with serving() as address, chromium() as browser:
        page = browser.new_page(viewport={"width": 1280, "height": 720})
        page.goto(address)
        page.locator("canvas.upper-canvas").wait_for()
        page.get_by_text("Draw a digit from 0 to 9").wait_for(timeout=60_000)
        settle(page)
        box = page.locator("canvas.upper-canvas").bounding_box()
        for _ in range(ROUNDS):
            for _ in range(STROKES):
                page.evaluate(f"() => {{ window.measured = ({WATCH})() }}")
                start, end = np.add(rng.integers(40, 240, (2, 2)), [box["x"], box["y"]])
                page.mouse.move(*start.tolist())
                page.mouse.down()
                page.mouse.move(*end.tolist(), steps=10)
                page.mouse.up()
                times_ms.append(page.evaluate("window.measured"))
                settle(page)
            page.locator(".st-key-clear button").click()
            page.get_by_text("Draw a digit from 0 to 9").wait_for()
            settle(page)
    median, high = statistics.median(times_ms), np.percentile(times_ms, 90)
    print(f"pen-up to neighbors over {len(times_ms)} strokes: median {median:.0f} ms, 90 % within {high:.0f} ms")


if __name__ == "__main__":
    main()
