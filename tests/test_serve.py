import re
import socket
import subprocess
from pathlib import Path

import pytest

from deploy import serve
from deploy.serve import ServeError, check, configuration, free_ports, servers_of


def servers(n_servers, *classes, is_named=False, folder=Path("/kept"), host="10.0.0.5"):
    return servers_of(n_servers, classes, folder=folder, host=host, port=8501, is_named=is_named)


@pytest.fixture
def port():
    (free,) = free_ports(1)
    return free


@pytest.fixture(autouse=True)
def _has_nginx(monkeypatch):
    monkeypatch.setattr(serve, "nginx_path", lambda: "/usr/sbin/nginx")


@pytest.mark.parametrize(("n_servers", "classes"), [(1, []), (4, ["5a", "5b"]), (1, ["year-10"]), (64, [])])
def test_what_can_be_served_is(n_servers, classes, port):
    check(n_servers, classes, port)


@pytest.mark.parametrize(
    ("n_servers", "classes", "sentence"),
    [
        (0, ["5a"], "At least one server without a class is needed, not 0."),
        (-1, [], "At least one server"),
        (63, ["5a", "5b"], "At most 64 servers"),
        (2, ["5A"], "small letters, digits and hyphens, as 5a; not '5A'"),
        (2, ["../etc"], "small letters"),
        (2, ["5a\n"], "small letters"),
        (2, ["a" * 33], "small letters"),
        (2, ["map"], "/map is a page of the app"),
        (2, ["static"], "/static is a page of the app"),
        (2, ["5a", "5b", "5a"], "There are two classes 5a"),
    ],
)
def test_what_cannot_be_served_is_said(n_servers, classes, sentence, port):
    with pytest.raises(ServeError, match=re.escape(sentence)):
        check(n_servers, classes, port)


def test_a_port_that_is_in_use_is_said():
    with (
        socket.create_server(("", 0)) as taken,
        pytest.raises(ServeError, match=r"choose another, as make serve PORT="),
    ):
        check(2, [], taken.getsockname()[1])


def test_a_port_that_there_is_not_is_said():
    with pytest.raises(ServeError, match="Port 85010 cannot be had"):
        check(2, [], 85010)


def test_without_nginx_it_is_said_how_to_get_it(monkeypatch, port):
    monkeypatch.undo()
    monkeypatch.setattr(serve.shutil, "which", lambda *_, **__: None)
    with pytest.raises(ServeError, match="apt-get install nginx-light"):
        check(2, [], port)


def test_no_class_can_take_the_path_of_a_page():
    navigation = (serve.ROOT / "autoencoder/ui/pages/navigation.py").read_text("utf-8")
    assert sorted(re.findall(r'url_path="(\w+)"', navigation)) == serve.PAGES


def test_each_class_has_its_file_and_its_path_and_the_others_have_none():
    many, other, first, second = servers(2, "5a", "5b")
    assert [server.environment["CLASS"] for server in (many, other)] == ["", ""]
    assert [server.environment["CLASS"] for server in (first, second)] == ["/kept/5a.db", "/kept/5b.db"]
    assert "--server.baseUrlPath=" in many.command
    assert "--server.baseUrlPath=5a" in first.command
    assert first.environment["CLASS_PIN"] != second.environment["CLASS_PIN"]
    assert len({server.port for server in (many, other, first, second)}) == 4


def test_a_server_answers_to_the_name_alone_where_visitors_have_one():
    (anybody,), (named,) = servers(1), servers(1, is_named=True, host="school.example")
    assert not any("allowedHosts" in word for word in anybody.command)
    assert "--server.allowedHosts=school.example" in named.command


def blocks_of(text):
    """The blocks of a configuration: {head: lines}."""
    return {
        head: [line.strip() for line in body.strip().splitlines()]
        for head, body in re.findall(r"^(\S[^{]*) \{\n(.*?)^\}", text, re.MULTILINE | re.DOTALL)
    }


def test_each_number_of_the_cookie_has_its_server_first_and_the_others_behind_it():
    first, second, own = servers(2, "5a")
    blocks = blocks_of(configuration([first, second, own]))
    peer = "server 127.0.0.1:{} max_fails=1 fail_timeout=2s{};".format
    assert blocks["map $cookie_server $by_cookie"] == ["default any;", "1 server_1;", "2 server_2;"]
    assert blocks["upstream server_2"][1:] == [peer(second.port, ""), peer(first.port, " backup")]
    assert blocks["upstream any"][1:] == ["least_conn;", peer(first.port, ""), peer(second.port, "")]


def test_a_class_has_its_one_server_whatever_the_cookie_says():
    *_, own = all_servers = servers(2, "5a")
    blocks = blocks_of(configuration(all_servers))
    assert blocks["map $uri $by_path"] == ["default $by_cookie;", '"~^/5a(/|$)" class_5a;']
    assert blocks["upstream class_5a"][1:] == [f"server 127.0.0.1:{own.port} max_fails=0;"]
    assert not any(str(own.port) in line for line in blocks["map $upstream_addr $sticky"])


@pytest.mark.parametrize(("n_servers", "classes"), [(1, ()), (4, ("5a", "year-10-b"))])
def test_nginx_takes_the_configuration(nginx, tmp_path, port, n_servers, classes):
    serve.write_configuration(servers(n_servers, *classes), port, tmp_path)
    tried = subprocess.run([nginx, *serve.nginx_options(tmp_path), "-t"], capture_output=True, text=True, check=False)
    assert tried.returncode == 0, tried.stderr
    assert "warn" not in tried.stderr


def test_a_server_that_stops_at_once_is_not_started_for_ever(monkeypatch, capfd):
    (server,) = servers(1)
    server.command = ["false"]
    server.start()
    for _ in range(2):
        server.process.wait()
        server.mend()
    server.process.wait()
    with pytest.raises(ServeError, match=f"on port {server.port} has stopped 3 times, each time soon after its start"):
        server.mend()
    assert capfd.readouterr().out.count("It is started anew.") == 2
