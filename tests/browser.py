"""A real server and a real browser, and what a visitor's hand does."""

import tempfile
from contextlib import contextmanager

import numpy as np
from playwright.sync_api import sync_playwright

from autoencoder.ink.strokes import CANVAS_PX, scale_to_canvas
from autoencoder.measure import serving as app_serving
from autoencoder.measure.serving import browser_path

ANSWER_MS = 30_000
# Nothing of the browser's own goes to a network.
OFFLINE = ["--disable-background-networking", "--disable-component-update", "--disable-sync", "--disable-quic"]

WITH_GRAPHICS = "--use-gl=angle", "--use-angle=swiftshader", "--enable-unsafe-swiftshader"  # for the map


@contextmanager
def serving(*options, port=None, **environment):
    """The address of the app, with options of Streamlit's; at the end it must have printed no traceback.

    Unreachable proxies stand in for a missing network.
    """
    no_network = dict.fromkeys(("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"), "http://127.0.0.1:9")
    with (
        tempfile.TemporaryFile() as log,
        app_serving.serving(*options, port=port, log=log, **(no_network | environment)) as (address, _),
    ):
        yield address
        log.seek(0)
        said = log.read().decode()
        assert "Traceback" not in said, said


@contextmanager
def chromium(*options):
    """A headless browser, with options of Chromium's."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=browser_path(), args=["--no-sandbox", *OFFLINE, *options])
        yield browser
        browser.close()


def before_the_camera(gray, path):
    """The options of a browser whose camera sees a picture uint8 (height, width), sides even; `path` is to keep it."""
    height, width = gray.shape
    no_color = np.full(gray.size // 2, 128, np.uint8)
    header = f"YUV4MPEG2 W{width} H{height} F10:1 C420mpeg2\n"  # a video of one frame, without compression
    path.write_bytes(header.encode() + b"FRAME\n" + gray.tobytes() + no_color.tobytes())
    fake = "fake-device-for-media-stream", "fake-ui-for-media-stream", f"file-for-fake-video-capture={path}"
    return [f"--use-{option}" for option in fake]


def draw(page, strokes, *, side_px=170):
    """Draw strokes with the mouse, in the canvas' middle, their longer side `side_px` of the canvas' 280."""
    box = page.locator("canvas.upper-canvas").bounding_box()
    enlarged = box["width"] / CANVAS_PX
    for stroke in scale_to_canvas([np.array(stroke, float) for stroke in strokes], side_px):
        path = enlarged * stroke + np.array([box["x"], box["y"]])
        page.mouse.move(*path[0])
        page.mouse.down()
        for point in path[1:]:
            page.mouse.move(*point)
        page.mouse.up()


def open_options(page):
    """Open what is folded away behind the button "Options"."""
    page.locator(".st-key-options button").first.click()


def settle(page):
    """Wait until the app has finished running."""
    page.wait_for_timeout(400)  # what was just done takes a moment to reach the server
    page.locator("[data-testid=stApp][data-test-script-state=notRunning]").wait_for()
