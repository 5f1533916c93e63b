"""The client of the hub's API: what it sends, and what it makes of every kind of answer."""

from __future__ import annotations

import itertools
import json
import socket
import threading
from typing import Any

import pytest

from holdfast.cli import client, sse
from holdfast.cli.client import HubClient
from holdfast.cli.completion import complete_device, complete_name
from holdfast.cli.exits import HubRefused, WrongUsage
from holdfast.errors import HubUnreachable, UnknownTarget
from tests.cli.fake_hub import Answer, fake_hub


def problem(status: int, code: str, detail: str, advice: str = "") -> Answer:
    """A problem document of the hub."""
    document = {"status": status, "code": code, "title": "A title", "detail": detail, "advice": advice}
    return Answer(status, document, "application/problem+json")


def test_what_is_sent() -> None:
    """The token goes into a header, the body is JSON, names are quoted."""
    with fake_hub(
        {"/commands": {"state": "verified"}, "/devices/a%2Fb": {"id": "a/b"}, "/readings": []}
    ) as hub:
        own = HubClient(hub.url + "/", "sesame")
        assert own.command("house/kitchen", True, timeout_s=3.0, wait=True) == {"state": "verified"}
        assert own.device("a/b") == {"id": "a/b"}
        assert own.readings("house") == []
    command, _, readings = hub.asked
    assert command.body == {"target": "house/kitchen", "value": True, "wait": True, "timeout_s": 3.0}
    assert command.headers["Authorization"] == "Bearer sesame"
    assert command.headers["Content-Type"] == "application/json"
    assert readings.path == "/api/v1/readings?device=house"


@pytest.mark.parametrize("url", ["ftp://x", "http://", "http://a:b@c", "http://a:0", "http://a:x", "//"])
def test_an_address_that_cannot_be_one(url: str) -> None:
    """Said before anything is sent, and without repeating what may be a password."""
    with pytest.raises(WrongUsage, match="not the address of a hub") as caught:
        HubClient(url)
    assert "a:b" not in caught.value.text + caught.value.advice


def test_nobody_there() -> None:
    """The address, the reason, and how to start a hub."""
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{closed.getsockname()[1]}"
        with pytest.raises(HubUnreachable) as caught:
            HubClient(url).devices()
    assert url in caught.value.text
    assert "refused" in caught.value.text
    assert "holdfast serve" in caught.value.advice


def test_somebody_who_does_not_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    """A limit, and words for it."""
    monkeypatch.setattr(client, "ANSWER_S", 0.1)
    with socket.create_server(("127.0.0.1", 0)) as deaf:
        own = HubClient(f"http://127.0.0.1:{deaf.getsockname()[1]}")
        with pytest.raises(HubUnreachable, match="does not answer within"):
            own.command("a/b", 1, timeout_s=None, wait=False)


@pytest.mark.parametrize(
    ("answer", "error", "words"),
    [
        (
            problem(404, "unknown_target", "house has no 'x'", "Known there: kitchen."),
            UnknownTarget,
            "house has no",
        ),
        (problem(401, "login_needed", "a token is needed"), HubRefused, "wants a login"),
        (problem(403, "forwarded", "came through a proxy"), HubRefused, "came through a proxy"),
        (problem(503, "not_ready", "the hub does not run"), HubRefused, "does not run"),
        (Answer(500, b"oops", "text/plain"), HubUnreachable, "no Holdfast hub"),
        (Answer(200, b"<html>", "text/html"), HubUnreachable, "no Holdfast hub"),
        (Answer(200, {"a": 1}), HubUnreachable, "no Holdfast hub"),
    ],
)
def test_refusals_and_strangers(answer: Answer, error: type[Exception], words: str) -> None:
    """Each problem in the hub's own words; what speaks otherwise is no hub."""
    with fake_hub({"/devices": answer}) as hub, pytest.raises(error, match=words):
        HubClient(hub.url).devices()


def test_a_server_of_another_kind() -> None:
    """What does not speak HTTP is no hub either."""
    with socket.create_server(("127.0.0.1", 0)) as other:
        own = HubClient(f"http://127.0.0.1:{other.getsockname()[1]}")

        def greet() -> None:
            peer, _ = other.accept()
            with peer:
                peer.sendall(b"220 mail.example ESMTP\r\n")

        thread = threading.Thread(target=greet)
        thread.start()
        with pytest.raises(HubUnreachable, match="no Holdfast hub"):
            own.devices()
        thread.join()


def test_a_hub_that_stops_in_the_middle() -> None:
    """Not a stranger: something that was there and is gone."""

    def nothing(stream: Any) -> None:
        stream.flush()

    with (
        fake_hub({"/devices": Answer(200, nothing)}) as hub,
        pytest.raises(HubUnreachable, match="no Holdfast hub"),
    ):
        HubClient(hub.url).devices()
    with socket.create_server(("127.0.0.1", 0)) as other:

        def hang_up() -> None:
            other.accept()[0].close()

        thread = threading.Thread(target=hang_up)
        thread.start()
        with pytest.raises(HubUnreachable, match="broke off"):
            HubClient(f"http://127.0.0.1:{other.getsockname()[1]}").devices()
        thread.join()


def sent(kind: str, seq: int, data: Any) -> bytes:
    """One event on the wire."""
    return f"id: e:{seq}\nevent: {kind}\ndata: {json.dumps(data)}\n\n".encode()


def test_events_are_read_as_the_format_says() -> None:
    """Comments, several data lines, and an end in the middle."""
    lines = [b": hello\n", b"event: a\n", b"data: 1\n", b"data:2\n", b"id: x\n", b"\r\n", b"data: z\n"]
    assert list(sse.events(lines)) == [sse.COMMENT, sse.Sent("a", "1\n2", "x")]
    assert list(sse.events([b"event: empty\n", b"\n", b"data: d\n", b"\n"])) == [sse.Sent("message", "d", "")]


def test_a_lost_stream_is_taken_up_where_it_broke_off(monkeypatch: pytest.MonkeyPatch) -> None:
    """A hub that restarts costs a watcher nothing but the pause."""
    monkeypatch.setattr(client, "RETRY_S", 0.01)
    first = Answer(200, b": alive\n\n" + sent("reading", 7, {"target": "a/b"}), "text/event-stream")
    second = Answer(200, sent("gap", 9, {}), "text/event-stream")
    with fake_hub({"/stream": (first, problem(503, "busy", "too many"), second)}) as hub:
        own = HubClient(hub.url)
        seen = list(itertools.islice(own.changes(), 7))
    assert [change.kind for change in seen] == [
        "connected",
        "alive",
        "reading",
        "lost",
        "lost",
        "resumed",
        "gap",
    ]
    assert "Last-Event-ID" not in hub.asked[0].headers
    assert hub.asked[1].headers["Last-Event-ID"] == hub.asked[2].headers["Last-Event-ID"] == "e:7"


def test_a_stream_that_never_was_is_an_error() -> None:
    """Without a hub there is nothing to wait for."""
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        with pytest.raises(HubUnreachable):
            next(HubClient(f"127.0.0.1:{closed.getsockname()[1]}").changes())


def test_the_shell_completes_what_the_hub_knows(monkeypatch: pytest.MonkeyPatch) -> None:
    """Devices and targets; without a hub nothing, and no complaint."""
    answers = {"/devices": [{"id": "house"}, {"id": "cabin"}], "/readings": [{"target": "house/kitchen"}]}
    with fake_hub(answers) as hub:
        monkeypatch.setenv("HOLDFAST_URL", hub.url)
        assert complete_device("h") == ["house"]
        assert complete_name("house/k") == ["house/kitchen"]
    assert complete_device("h") == complete_name("") == []
