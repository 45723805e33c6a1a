"""The app as a process of its own, and the browser to look at it with."""

import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from autoencoder import artifacts

ROOT = artifacts.DIRECTORY.parent
START_WAIT_S = 60
BROWSERS = (
    "/usr/bin/chromium",
    "/usr/bin/chromium-browser",
    "/usr/bin/google-chrome",
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
)


def browser_path() -> str | None:
    """Where Chromium or Chrome is on this machine; None where there is none."""
    return next((path for path in BROWSERS if Path(path).exists()), None) or shutil.which("chromium")


@contextmanager
def serving(
    *options: str, port: int | None = None, log: int | IO[bytes] | IO[str] = subprocess.DEVNULL, **environment: str
) -> Iterator[tuple[str, subprocess.Popen[bytes]]]:
    """The app on this machine, as (its address, its process), once it accepts connections.

    Args:
        options: of `streamlit run`.
        port: to serve it on; None takes one that is free.
        log: a file for what it prints.
        environment: variables to set besides those of this process.

    Raises:
        OSError: it does not start.
    """
    port = port or free_port()
    command = [sys.executable, "-m", "streamlit", "run", "app.py", "--server.port", str(port), *options]
    process = subprocess.Popen(command, cwd=ROOT, env=os.environ | environment, stdout=log, stderr=log)
    try:
        deadline = time.monotonic() + START_WAIT_S
        while not _accepts_connections(port):
            if process.poll() is not None or time.monotonic() > deadline:
                raise OSError(f"the app does not start: see what `{' '.join(command[1:])}` prints")
            time.sleep(0.02)
        yield f"http://localhost:{port}", process
    finally:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def free_port() -> int:
    """A port of this machine that nobody uses."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


def _accepts_connections(port: int) -> bool:
    try:
        socket.create_connection(("localhost", port), 1).close()
    except OSError:
        return False
    return True
