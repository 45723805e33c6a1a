"""Several servers behind nginx in a real browser: who visits one that ends is soon back on another."""

import re
import shutil
import signal
import subprocess
import sys
import time
from contextlib import suppress
from urllib.request import urlopen

import numpy as np
import psutil
import pytest
from browser import ANSWER_MS, draw, settle
from classes import STROKES, kept_digits
from PIL import Image
from playwright.sync_api import expect

from autoencoder.measure.serving import ROOT, free_port

BACK_WITHIN_MS = 10_000
START_S = 180


class Servers:
    """Running servers, unless told otherwise two without a class and those of the classes 5a and 5b.

    `address` is nginx', `process` the one that watches over them all, `folder` has the classes' files.
    """

    def __init__(self, folder, n_servers=2, classes=("5a", "5b")):
        self.folder, port = folder, free_port()
        self.address = f"http://127.0.0.1:{port}"
        self._log = folder / "log"
        command = [sys.executable, "-m", "deploy.serve", "--servers", str(n_servers), "--classes", *classes]
        command += ["--port", str(port), "--folder", str(folder)]
        with self._log.open("wb") as log:
            self.process = subprocess.Popen(command, cwd=ROOT, stdout=log, stderr=log)
        self.wait_until("Ready: ")
        self._ports = [port_of(each) for each in self.apps()]

    def said(self):
        return self._log.read_text()

    def wait_until(self, sentence, times=1):
        until = time.monotonic() + START_S
        while self.said().count(sentence) < times:
            assert self.process.poll() is None, self.said()
            assert time.monotonic() < until, self.said()
            time.sleep(0.1)

    def wait_until_all_are_ready(self):
        """Wait until each server without a class has shown a page to nobody."""
        until = time.monotonic() + START_S
        while not all(is_ready(port) for port in self._ports[:2]):
            assert time.monotonic() < until, self.said()
            time.sleep(0.1)

    def apps(self):
        """The processes of the app, the oldest first."""
        children = psutil.Process(self.process.pid).children()
        return sorted((each for each in children if port_of(each)), key=lambda each: each.create_time())

    def behind(self, page):
        """The process that a page's cookie names."""
        (number,) = (cookie["value"] for cookie in page.context.cookies() if cookie["name"] == "server")
        return next(each for each in self.apps() if port_of(each) == self._ports[int(number) - 1])

    def of_class(self, name):
        """The process of a class."""
        return next(each for each in self.apps() if f"--server.baseUrlPath={name}" in each.cmdline())

    def pin(self, name):
        return re.search(rf"{name}\.db\. The teacher's PIN on other devices: (\d+)", self.said())[1]


def port_of(process):
    return next((word.partition("=")[2] for word in process.cmdline() if word.startswith("--server.port=")), None)


def is_ready(port):
    with suppress(OSError), urlopen(f"http://127.0.0.1:{port}/_stcore/script-health-check", timeout=START_S):
        return True
    return False


@pytest.fixture(scope="module")
def servers(nginx, browser, tmp_path_factory):
    running = Servers(tmp_path_factory.mktemp("servers"))
    yield running
    running.process.terminate()
    running.process.wait(30)
    assert "Traceback" not in running.said(), running.said()


@pytest.fixture
def visit(browser):
    """Open a page whose console may say that its server is gone."""
    contexts = []

    def open_page(address):
        contexts.append(browser.new_context(viewport={"width": 1280, "height": 720}))
        page = contexts[-1].new_page()
        page.set_default_timeout(ANSWER_MS)
        page.goto(address)
        return page

    yield open_page
    for context in contexts:
        context.close()


def draw_a(page, digit):
    page.locator("canvas.upper-canvas").wait_for()
    settle(page)
    draw(page, STROKES[digit])
    page.get_by_alt_text("neighbor 4, a").wait_for()
    settle(page)


def shown(page):
    pictures = page.locator('[alt^="neighbor "]').evaluate_all("all => all.map(one => one.alt)")
    return page.url, pictures, page.locator("[data-testid=stProgress]").all_inner_texts()


def have_loaded(page):
    """Whether all pictures of a page have come from its server."""
    return page.locator("img").evaluate_all("all => all.every(one => one.complete && one.naturalWidth > 0)")


def test_pages_of_a_server_that_is_killed_are_soon_back_on_another_by_themselves(servers, visit):
    pages = [visit(servers.address) for _ in range(4)]
    for page, digit in zip(pages, (3, 7, 2, 6), strict=True):
        draw_a(page, digit)
    before = [shown(page) for page in pages]
    for _ in range(2):  # the second time, the server that the page is on now
        servers.wait_until_all_are_ready()
        victim = servers.behind(pages[0])
        hit = [page for page in pages if servers.behind(page) == victim]
        victim.kill()
        for page in hit:
            page.locator("[data-testid=stApp]:not([data-test-connection-state=CONNECTED])").wait_for()
        began = time.monotonic()
        for page in hit:
            page.locator("[data-test-connection-state=CONNECTED]").wait_for(timeout=BACK_WITHIN_MS)
            page.get_by_alt_text("neighbor 4, a").wait_for(timeout=BACK_WITHIN_MS)
            settle(page)
        assert 1000 * (time.monotonic() - began) < BACK_WITHIN_MS
        assert [shown(page) for page in pages] == before
        assert all(have_loaded(page) for page in pages)
        assert all(servers.behind(page).pid != victim.pid for page in hit)


def test_a_page_that_has_changed_its_server_uploads_to_that(servers, visit, tmp_path, gallery):
    page = visit(servers.address)
    draw_a(page, 3)
    servers.behind(page).kill()
    page.locator("[data-testid=stApp]:not([data-test-connection-state=CONNECTED])").wait_for()
    page.locator("[data-test-connection-state=CONNECTED]").wait_for(timeout=BACK_WITHIN_MS)
    settle(page)
    servers.wait_until_all_are_ready()  # the first one, too
    path = tmp_path / "seven.png"
    seven = gallery.images[list(gallery.labels).index(7)]
    Image.fromarray(np.uint8(255 * seven)).resize((280, 280)).save(path)
    page.get_by_role("radio", name="Upload").click()
    page.locator("input[type=file]").set_input_files(path)
    page.get_by_alt_text("neighbor 4, a 7").wait_for()


def test_two_classes_are_apart_and_one_whose_server_is_killed_goes_on(servers, visit):
    walls = [visit(f"{servers.address}/{name}/class") for name in ("5a", "5b")]
    for wall in walls:
        wall.get_by_text("Nothing has been sent yet").wait_for()
    pupil = visit(f"{servers.address}/5a")
    draw_a(pupil, 7)
    pupil.get_by_role("button", name="Send to the class").click()
    pupil.get_by_text(re.compile("Sent: an? ")).wait_for()
    expect(walls[0].locator(".wall button")).to_have_count(1, timeout=ANSWER_MS)
    pin = servers.pin("5a")
    servers.of_class("5a").kill()
    for page in (pupil, walls[0]):
        page.locator("[data-testid=stApp]:not([data-test-connection-state=CONNECTED])").wait_for()
    for page in (pupil, walls[0]):
        page.locator("[data-test-connection-state=CONNECTED]").wait_for(timeout=ANSWER_MS)
    pupil.get_by_text("On the wall already: a 7.").wait_for()
    expect(walls[0].locator(".wall button")).to_have_count(1, timeout=ANSWER_MS)
    walls[1].get_by_text("Nothing has been sent yet").wait_for()
    assert kept_digits(servers.folder / "5a.db") == [7]
    assert kept_digits(servers.folder / "5b.db") == []
    assert servers.said().count(pin) == 2  # said again by the server that was started anew


def test_who_comes_by_nginx_is_the_teacher_by_the_pin_alone(servers, visit):
    page = visit(f"{servers.address.replace('127.0.0.1', 'localhost')}/5b/class")
    page.get_by_role("button", name="For the teacher").click()
    expect(page.get_by_role("button", name="Freeze")).to_have_count(0)
    box = page.get_by_label("The PIN that")
    box.fill(servers.pin("5b"))
    box.press("Enter")
    page.get_by_role("button", name="Freeze").wait_for()


def test_a_class_address_has_its_path(servers, visit):
    page = visit(f"{servers.address}/5b?present=true")
    page.get_by_text(re.compile(r"^http.*:\d+.5b$")).click()
    page.get_by_alt_text(re.compile(r"QR code of http:..[\d.]+:\d+.5b$")).wait_for()


@pytest.mark.usefixtures("nginx")
@pytest.mark.skipif(not shutil.which("setpriv"), reason="processes end with the one that started them on Linux alone")
@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_all_ends_with_the_process_that_started_it(tmp_path, how):
    running = Servers(tmp_path, 1, ())
    started = psutil.Process(running.process.pid).children(recursive=True)
    assert any("nginx" in process.name() for process in started)
    running.process.send_signal(how)
    assert running.process.wait(30) == (-9 if how == signal.SIGKILL else 0)
    _, alive = psutil.wait_procs(started, 30)
    assert alive == []
