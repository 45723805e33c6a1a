"""A real server and a real browser, and what a visitor's hand does."""

import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from playwright.sync_api import sync_playwright

ROOT = Path(__file__).parent.parent
START_S = 60
ANSWER_MS = 30_000
CANVAS_PX = 280
BROWSERS = (
    "/usr/bin/chromium",
    "/usr/bin/chromium-browser",
    "/usr/bin/google-chrome",
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
)
# Nothing of the browser's own goes to a network.
OFFLINE = ["--disable-background-networking", "--disable-component-update", "--disable-sync", "--disable-quic"]


def browser_path():
    return next((path for path in BROWSERS if Path(path).exists()), None) or shutil.which("chromium")


@contextmanager
def serving(*options, **environment):
    """The app, with options of Streamlit's, on a free port of this machine, its address.

    Unreachable proxies stand in for a missing network.
    """
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    no_network = dict.fromkeys(("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"), "http://127.0.0.1:9")
    command = [sys.executable, "-m", "streamlit", "run", "app.py", "--server.port", str(port), *options]
    with tempfile.TemporaryFile() as log:
        process = subprocess.Popen(command, cwd=ROOT, env=os.environ | no_network | environment, stdout=log, stderr=log)
        try:
            wait_until_healthy(port, process, log)
            yield f"http://localhost:{port}"
        finally:
            process.terminate()
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()


def wait_until_healthy(port, process, log):
    deadline = time.monotonic() + START_S
    direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    while time.monotonic() < deadline:
        if process.poll() is not None:
            log.seek(0)
            raise RuntimeError(log.read().decode())
        try:
            with direct.open(f"http://localhost:{port}/_stcore/health", timeout=1):
                return
        except OSError:
            time.sleep(0.1)
    raise TimeoutError(f"the app did not start within {START_S} s")


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
    """Draw strokes with the mouse, in the canvas' middle, their longer side `side_px`."""
    strokes = [np.array(stroke, float) for stroke in strokes]
    points = np.concatenate(strokes)
    low, high = points.min(axis=0), points.max(axis=0)
    box = page.locator("canvas.upper-canvas").bounding_box()
    middle = np.array([box["x"], box["y"]]) + CANVAS_PX / 2
    for stroke in strokes:
        path = (stroke - (low + high) / 2) * side_px / (high - low).max() + middle
        page.mouse.move(*path[0])
        page.mouse.down()
        for point in path[1:]:
            page.mouse.move(*point)
        page.mouse.up()


def settle(page):
    """Wait until the app has finished running."""
    page.wait_for_timeout(400)  # the canvas waits 200 ms before it sends
    page.locator("[data-testid=stApp][data-test-script-state=notRunning]").wait_for()
