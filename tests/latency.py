"""How long from pen-up to a lens' answer on the screen, and how much goes over the line: `make latency`."""

import statistics
import time

import numpy as np
from browser import WITH_GRAPHICS, chromium, serving, settle

ROUNDS, STROKES = 5, 3
LENSES = ("search", "why", "compare", "map", "morph", "noise", "shift")
SLOW_MS, DRAWN_MS = 120_000, 10_000
SLOW_LINE = {"offline": False, "latency": 400, "downloadThroughput": 50_000, "uploadThroughput": 50_000}  # ms, bytes/s
# From the browser's mouseup to the first change of what the model sees, which the server sends after the lens' answer.
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
    """Through each lens draw a few strokes, clear, and again; print the median and the 90th percentile."""
    with serving() as address, chromium(*WITH_GRAPHICS) as browser:
        for lens in LENSES:
            times_ms = measure(browser, address if lens == "search" else f"{address}/{lens}")
            median, high = statistics.median(times_ms), np.percentile(times_ms, 90)
            print(
                f"{lens}: pen-up to answer, {len(times_ms)} strokes: median {median:.0f} ms, 90 % within {high:.0f} ms"
            )
        report_line(browser, address)


def measure(browser, address):
    """The times of strokes on a page, in milliseconds, without those of a first round that warms it up."""
    rng = np.random.default_rng(0)
    times_ms = []
    page = browser.new_page(viewport={"width": 1280, "height": 720})
    page.goto(address)
    page.locator("canvas.upper-canvas").wait_for()
    page.get_by_role("heading", name="Draw a digit from 0 to 9").wait_for(timeout=60_000)
    settle(page)
    box = page.locator("canvas.upper-canvas").bounding_box()
    for _ in range(1 + ROUNDS):
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
        page.get_by_role("heading", name="Draw a digit from 0 to 9").wait_for()
        settle(page)
    page.close()
    return times_ms[STROKES:]


def report_line(browser, address):
    """Print how many bytes the first page, the next visit and an answer take, and how long the page on a slow line."""
    context = browser.new_context(viewport={"width": 820, "height": 1180})
    for visit in ("first", "next"):
        page, received = context.new_page(), {"files": 0, "messages": 0}
        line = context.new_cdp_session(page)
        line.send("Network.enable")
        if visit == "first":
            line.send("Network.emulateNetworkConditions", SLOW_LINE)
        line.on("Network.loadingFinished", lambda event, of=received: add(of, "files", event["encodedDataLength"]))
        line.on("Network.webSocketFrameReceived", lambda event, of=received: add(of, "messages", size_of(event)))
        start = time.perf_counter()
        page.goto(address, timeout=SLOW_MS)
        page.locator("canvas.upper-canvas").wait_for(timeout=SLOW_MS)
        took_s = time.perf_counter() - start
        settle(page)
        slow = f", {took_s:.0f} s at 400 kbit/s and 400 ms" if visit == "first" else ""
        print(f"the {visit} page: {received['files'] / 1e6:.1f} MB of files{slow}")
        before = received["messages"]
        page.get_by_role("button", name="Random", exact=True).click()
        page.get_by_text("Nearest of").wait_for()
        settle(page)
    print(f"an answer: {(received['messages'] - before) / 1e3:.0f} kB")
    before = received["files"]
    page.goto(f"{address}/map?q=mnist-7", timeout=SLOW_MS)
    page.get_by_test_id("stDeckGlJsonChart").wait_for()
    page.wait_for_timeout(DRAWN_MS)
    print(f"the map, when it is first opened: {(received['files'] - before) / 1e6:.1f} MB of files more")


def add(counts, what, n):
    counts[what] += n


def size_of(frame):
    """The bytes of a WebSocket's frame, which comes in base 64."""
    return len(frame["response"]["payloadData"]) * 3 // 4


if __name__ == "__main__":
    main()
