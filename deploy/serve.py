"""Several servers behind one address: starts them, and nginx before them, and starts anew what stops.

    python -m deploy.serve --servers 4 --classes 5a 5b

Each class has one server, under the path /NAME, and keeps what it sends in classes/NAME.db. `make serve` runs this.
"""

import argparse
import http.client
import os
import re
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

from autoencoder.ui.classroom import PIN_DIGITS, lan_host

ROOT = Path(__file__).parent.parent
CONFIG = Path(__file__).with_name("nginx.conf")
HERE = "127.0.0.1"
MOST_SERVERS = 64
CLASS_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,31}")
PAGES = ["about", "class", "compare", "failures", "map", "morph", "noise", "pca", "search", "shift", "speed", "why"]
FOLDERS = ["component", "media", "sprites", "static"]  # that the app has beside its pages
LOOK_EVERY_S = 1
ANSWER_S = 2  # for a server to say that it is well
HUNG_S = 10  # without such a word, and it is started anew
START_S = 120
STOP_S = 10
SHORT_LIFE_S, MOST_SHORT_LIVES = 20, 3  # a server that stops at once will do so again


class ServeError(Exception):
    """Nothing can be served, for the reason that it says."""


@dataclass
class Server:
    """A process of the app on a port of this machine.

    `name` is that of its class, which is its path, too; "" where it has none. `host` is what visitors call it by. By
    `well_by` it is to say that it is well.
    """

    name: str
    host: str
    port: int
    command: Sequence[str]
    environment: dict[str, str]
    process: subprocess.Popen[bytes] = field(init=False)
    started_at: float = field(init=False)
    well_by: float = field(init=False)
    short_lives: int = 0

    def __str__(self) -> str:
        return f"The server of the class {self.name}" if self.name else f"The server on port {self.port}"

    def start(self) -> None:
        """Start the process. One with a class prints where that is and its PIN; the others would all say the same."""
        printed = None if self.name else subprocess.DEVNULL
        self.process = start(self.command, cwd=ROOT, env=os.environ | self.environment, stdout=printed)
        self.started_at = time.monotonic()
        self.well_by = self.started_at + START_S

    def is_well(self, check: str = "health", timeout_s: float = ANSWER_S) -> bool:
        """Whether the server answers to a check of Streamlit's."""
        connection = http.client.HTTPConnection(HERE, self.port, timeout=timeout_s)
        try:
            path = f"{'/' if self.name else ''}{self.name}/_stcore/{check}"
            connection.request("GET", path, headers={"Host": self.host})
            return connection.getresponse().status == 200
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()

    def wait_until_ready(self) -> None:
        """Wait until the server has shown a page to nobody: then it has loaded all that the first visitor needs.

        Raises:
            ServeError: it stops or takes too long.
        """
        while not self.is_well("script-health-check", START_S):
            if self.process.poll() is not None or time.monotonic() > self.well_by:
                raise ServeError(f"{self} does not start: see above.")
            time.sleep(0.1)

    def mend(self) -> None:
        """Start the server anew where it has stopped or hangs.

        Raises:
            ServeError: it has stopped again and again, soon after its start.
        """
        if self.process.poll() is None:
            if self.is_well():
                self.well_by = time.monotonic() + HUNG_S
            elif time.monotonic() > self.well_by:
                say(f"{self} does not answer, so it is stopped.")
                self.process.kill()
            return
        lived_s = time.monotonic() - self.started_at
        self.short_lives = self.short_lives + 1 if lived_s < SHORT_LIFE_S else 0
        if self.short_lives >= MOST_SHORT_LIVES:
            raise ServeError(f"{self} has stopped {self.short_lives} times, each time soon after its start: see above.")
        say(f"{self} has stopped. It is started anew.")
        self.start()
        with suppress(ServeError):  # then the next look finds it stopped or hung
            self.wait_until_ready()


def start(command: Sequence[str], **options: object) -> subprocess.Popen[bytes]:
    """Start a process; on Linux it ends with this one, even where that is killed."""
    tied = ["setpriv", "--pdeathsig", "TERM"] if shutil.which("setpriv") else []
    return subprocess.Popen([*tied, *command], start_new_session=True, **options)  # type: ignore[call-overload]


def stop(processes: Sequence[subprocess.Popen[bytes]]) -> None:
    """End the processes; those that do not end in time are killed."""
    for process in processes:
        process.terminate()
    until = time.monotonic() + STOP_S
    for process in processes:
        try:
            process.wait(max(0, until - time.monotonic()))
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def servers_of(
    n_servers: int, classes: Sequence[str], *, folder: Path, host: str, port: int, is_named: bool
) -> list[Server]:
    """The servers, not started yet: `n_servers` without a class, then one for each class.

    `folder` is to hold the classes' files. Visitors find the servers at `host` and `port`. A server answers to that
    host alone where `is_named`, else to any address of its machine.
    """
    servers = []
    for name, own_port in zip([""] * n_servers + list(classes), free_ports(n_servers + len(classes)), strict=True):
        options = {
            "server.address": HERE,
            "server.port": own_port,
            "server.baseUrlPath": name,
            "server.scriptHealthCheckEnabled": "true",
            "browser.serverAddress": host,
            "browser.serverPort": port,
        }
        if is_named:
            options["server.allowedHosts"] = host
        command = [sys.executable, "-m", "streamlit", "run", "app.py"]
        command += [f"--{option}={value}" for option, value in options.items()]
        environment = {
            "CLASS": str(folder / f"{name}.db") if name else "",
            "CLASS_PIN": f"{secrets.randbelow(10**PIN_DIGITS):0{PIN_DIGITS}}",  # a restarted server keeps it
        }
        servers.append(Server(name, host, own_port, command, environment))
    return servers


def free_ports(number: int) -> list[int]:
    """Ports of this machine that nobody uses, each another."""
    sockets = [socket.create_server((HERE, 0)) for _ in range(number)]
    try:
        return [each.getsockname()[1] for each in sockets]
    finally:
        for each in sockets:
            each.close()


def configuration(servers: Sequence[Server]) -> str:
    """What nginx is to know of the servers: the servers.conf that deploy/nginx.conf includes."""
    many = dict(enumerate((server for server in servers if not server.name), 1))
    classes = [server for server in servers if server.name]
    upstreams = {"any": ["least_conn", *(_peer(server) for server in many.values())]}
    for number, server in many.items():
        others = [f"{_peer(other)} backup" for other in many.values() if other is not server]
        upstreams[f"server_{number}"] = [_peer(server), *others]
    for server in classes:
        upstreams[f"class_{server.name}"] = [f"server {HERE}:{server.port} max_fails=0"]  # there is no other
    maps = {
        "$cookie_server $by_cookie": ["default any", *(f"{number} server_{number}" for number in many)],
        "$uri $by_path": [
            "default $by_cookie",
            *(f'"~^/{server.name}(/|$)" class_{server.name}' for server in classes),
        ],
        "$upstream_addr $sticky": [
            'default ""',
            *(f'"~:{one.port}$" "server={number}; Path=/; HttpOnly; SameSite=Lax"' for number, one in many.items()),
        ],
    }
    blocks = [(f"upstream {name}", [f"zone {name} 128k", *lines]) for name, lines in upstreams.items()]
    blocks += [(f"map {name}", lines) for name, lines in maps.items()]
    return "\n".join("\n".join([f"{head} {{", *(f"    {line};" for line in lines), "}", ""]) for head, lines in blocks)


def write_configuration(servers: Sequence[Server], port: int, folder: Path) -> None:
    """Write all that nginx reads into a folder."""
    (folder / "nginx.conf").symlink_to(CONFIG)
    (folder / "servers.conf").write_text(configuration(servers))
    (folder / "listen.conf").write_text(f"listen {port};\n")


def nginx_options(folder: Path) -> list[str]:
    """How nginx is called: all that it reads and writes is in the folder."""
    return ["-p", f"{folder}/", "-c", "nginx.conf", "-e", "stderr"]


def _peer(server: Server) -> str:
    """A server of many: when it does not answer, nginx asks another, and leaves it alone for two seconds."""
    return f"server {HERE}:{server.port} max_fails=1 fail_timeout=2s"


def serve(servers: Sequence[Server], *, port: int, folder: Path) -> None:
    """Serve until somebody stops this; `folder` is for nginx' own files.

    Raises:
        ServeError: a server or nginx does not start, or stops again and again.
    """
    write_configuration(servers, port, folder)
    running: list[subprocess.Popen[bytes]] = []
    try:
        for server in servers:
            server.start()
        for server in servers:
            server.wait_until_ready()
        nginx = start([nginx_path(), *nginx_options(folder)])
        running.append(nginx)
        while nginx.poll() is None and not (folder / "nginx.pid").exists():
            time.sleep(0.1)
        if nginx.poll() is None:
            say(f"Ready: {len(servers)} {'server' if len(servers) == 1 else 'servers'}. Ctrl-C stops all.")
        while nginx.poll() is None:
            for server in servers:
                server.mend()
            time.sleep(LOOK_EVERY_S)
        raise ServeError("nginx has stopped: see above.")
    finally:
        stop(running + [server.process for server in servers if hasattr(server, "process")])


def nginx_path() -> str:
    """Where nginx is; Debian has it in a folder that is not on every user's PATH.

    Raises:
        ServeError: it is not installed.
    """
    if path := shutil.which("nginx", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin"):
        return path
    raise ServeError("nginx is needed, and was not found. Debian and Ubuntu: apt-get install nginx-light.")


def check(n_servers: int, classes: Sequence[str], port: int) -> None:
    """Raise ServeError where this cannot be served."""
    if n_servers < 1:
        raise ServeError(f"At least one server without a class is needed, not {n_servers}.")
    if n_servers + len(classes) > MOST_SERVERS:
        raise ServeError(f"At most {MOST_SERVERS} servers can be started, those of classes included.")
    for name in classes:
        if not CLASS_NAME.fullmatch(name):
            raise ServeError(f"A class' name is its path: small letters, digits and hyphens, as 5a; not {name!r}.")
        if name in (*PAGES, *FOLDERS):
            raise ServeError(f"/{name} is a page of the app: give the class another name.")
        if classes.count(name) > 1:
            raise ServeError(f"There are two classes {name}.")
    nginx_path()
    try:
        socket.create_server(("", port)).close()
    except (OSError, OverflowError):
        raise ServeError(
            f"Port {port} cannot be had, most likely because it is in use: choose another, as make serve PORT=8502."
        ) from None


def say(sentence: str) -> None:
    print(sentence, flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m deploy.serve", description=__doc__.partition("\n")[0])
    parser.add_argument("--servers", type=int, default=2, help="without a class (default: %(default)s)")
    parser.add_argument("--classes", nargs="*", default=[], metavar="NAME", help="each has a server under /NAME")
    parser.add_argument("--port", type=int, default=8501, help="that visitors use (default: %(default)s)")
    parser.add_argument(
        "--folder", type=Path, default=Path("classes"), help="for the classes' files (default: classes)"
    )
    parser.add_argument("--host", help="the name that visitors use; without it they use this machine's address")
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))  # so that the servers are stopped
    try:
        check(options.servers, options.classes, options.port)
        host = options.host or lan_host() or "localhost"
        servers = servers_of(
            options.servers,
            options.classes,
            folder=options.folder.absolute(),
            host=host,
            port=options.port,
            is_named=bool(options.host),
        )
        if options.servers:
            say(f"Digit look-alikes: http://{host}:{options.port}")
        with TemporaryDirectory(prefix="digits-") as folder, suppress(KeyboardInterrupt):
            serve(servers, port=options.port, folder=Path(folder))
    except ServeError as problem:
        sys.exit(str(problem))


if __name__ == "__main__":
    main()
