"""Handshakes that fail: each with its reason, its floor and words that name host and port."""

from __future__ import annotations

import asyncio
import datetime
import ssl
from collections.abc import Callable
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from spark_engine.feeds.connection.state import CloseReason, ConnectionState
from websockets.asyncio.server import ServerConnection, serve

from engine.tests.feeds_connection.observed import Observed, quick
from engine.tests.feeds_connection.raw_peer import RawPeer, raw_server


def first_ending(observed: Callable[[], Observed]) -> ConnectionState:
    async def scenario() -> ConnectionState:
        async with observed().running() as seen:
            ending: ConnectionState = await seen.ending()
        return ending

    return asyncio.run(scenario())


def answer(head: str, body: bytes = b"") -> bytes:
    return f"HTTP/1.1 {head}\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body


CLOUDFLARE = (
    b"<!DOCTYPE html><html><head><title>503 Service\n Unavailable</title></head>"
    b"<body><h1>x</h1></body></html>"
)


@pytest.mark.parametrize(
    ("reply", "reason", "floor", "words"),
    [
        (answer("429 Too Many Requests\r\nRetry-After: 17"), "refused_429", 17, "429 Too Many Requests"),
        (answer("429 Too Many Requests"), "refused_429", 60, "429 Too Many Requests"),
        (
            answer(
                "429 Too Many Requests\r\nDate: Wed, 21 Oct 2015 07:28:00 GMT\r\n"
                "Retry-After: Wed, 21 Oct 2015 07:30:05 GMT"
            ),
            "refused_429",
            125,
            "429",
        ),
        (
            answer("503 Service Unavailable\r\nContent-Type: text/html", CLOUDFLARE),
            "refused_5xx",
            0,
            "503 Service Unavailable (503 Service Unavailable)",
        ),
        (answer("502 Bad Gateway\r\nRetry-After: 5"), "refused_5xx", 5, "502 Bad Gateway"),
        (
            answer("403 Forbidden", b'{"message":"your country is not served"}'),
            "refused_other",
            0,
            "403 Forbidden (your country is not served)",
        ),
        (answer("200 OK", b"hello"), "refused_other", 0, "200 OK (hello)"),
        (
            b"HTTP/1.1 101 Switching Protocols\r\n\r\n",
            "refused_other",
            0,
            "does not answer as a WebSocket server",
        ),
        (b"SSH-2.0-OpenSSH_9.6\r\n", "refused_other", 0, "does not answer as a WebSocket server"),
    ],
)
def test_an_answer_that_is_no_handshake(reply: bytes, reason: str, floor: float, words: str) -> None:
    async def scenario() -> None:
        async def venue(peer: RawPeer) -> None:
            await peer.reader.readuntil(b"\r\n\r\n")
            await peer.write(reply)
            await peer.silence()

        async with raw_server(venue) as url, Observed(url).running() as seen:
            ending = await seen.ending()
        assert (ending.kind, ending.reason) == ("refused", CloseReason(reason))
        assert ending.retry_in == floor + 0.5  # the jitter of these tests is half of one second
        assert url[5:-1] in ending.cause
        assert words in ending.cause
        assert "\n" not in ending.cause

    asyncio.run(scenario())


def test_a_redirect_to_a_page_is_told_as_one() -> None:
    async def scenario() -> None:
        async def venue(peer: RawPeer) -> None:
            await peer.reader.readuntil(b"\r\n\r\n")
            await peer.write(answer("302 Found\r\nLocation: https://status.example/maintenance"))
            await peer.silence()

        async with raw_server(venue) as url, Observed(url).running() as seen:
            ending = await seen.ending()
        assert (ending.kind, ending.reason) == ("refused", CloseReason.REFUSED_OTHER)
        assert ending.cause == (
            f"{url[5:-1]} redirects to 'https://status.example/maintenance', no address of a WebSocket"
        )

    asyncio.run(scenario())


def test_a_port_where_nobody_listens(refused_port: int) -> None:
    ending = first_ending(lambda: Observed(f"ws://127.0.0.1:{refused_port}/"))
    assert ending.reason is CloseReason.UNREACHABLE
    assert ending.cause == f"127.0.0.1:{refused_port} cannot be reached: connection refused"


def test_a_name_that_does_not_exist(unknown_name: str) -> None:
    ending = first_ending(lambda: Observed(f"wss://{unknown_name}"))
    assert ending.reason is CloseReason.UNREACHABLE
    assert ending.cause == f"{unknown_name}:443 cannot be reached: its name cannot be resolved"


@pytest.mark.parametrize("url", ["https://example.com", "ws://:80", "ws://host:99999/", "nonsense"])
def test_an_address_that_is_none(url: str) -> None:
    ending = first_ending(lambda: Observed(url))
    assert ending.reason is CloseReason.UNREACHABLE
    assert ending.cause.startswith(f"'{url}' is not an address of a WebSocket: ")


def test_a_host_that_hangs_up_on_the_handshake() -> None:
    async def scenario() -> None:
        async def venue(peer: RawPeer) -> None:
            await peer.reader.readuntil(b"\r\n\r\n")

        async with raw_server(venue) as url, Observed(url).running() as seen:
            ending = await seen.ending()
        assert ending.reason is CloseReason.UNREACHABLE
        assert ending.cause == f"{url[5:-1]} cannot be reached: it closed the connection without answering"

    asyncio.run(scenario())


def test_a_host_that_accepts_and_never_answers() -> None:
    async def scenario() -> None:
        async with (
            raw_server(lambda peer: peer.silence()) as url,
            Observed(url, settings=quick(open_seconds=0.2)).running() as seen,
        ):
            ending = await seen.ending()
        assert ending.reason is CloseReason.UNREACHABLE
        assert ending.cause == f"{url[5:-1]}: no WebSocket handshake in time"

    asyncio.run(scenario())


def certificate(folder: Path) -> Path:
    """A self-signed one of localhost with its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.datetime.now(datetime.UTC)
    signed = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .sign(key, hashes.SHA256())
    )
    path = folder / "certificate.pem"
    path.write_bytes(
        signed.public_bytes(serialization.Encoding.PEM)
        + key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return path


def test_a_certificate_that_nobody_vouches_for_and_one_that_is_known(tmp_path: Path) -> None:
    pem = certificate(tmp_path)

    async def scenario() -> None:
        async def venue(peer: ServerConnection) -> None:
            await peer.send("x")
            await peer.wait_closed()

        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(pem)
        async with serve(venue, "127.0.0.1", 0, ssl=context) as server:
            port = next(iter(server.sockets)).getsockname()[1]
            async with Observed(f"wss://localhost:{port}/").running() as seen:
                ending = await seen.ending()
            known = quick(tls=ssl.create_default_context(cafile=str(pem)))
            async with Observed(f"wss://localhost:{port}/", settings=known).running() as trusting:
                await trusting.until(lambda: trusting.frames)
        assert ending.reason is CloseReason.UNREACHABLE
        assert ending.cause.startswith(
            f"localhost:{port} cannot be reached: its certificate is not trusted (self"
        )

    asyncio.run(scenario())


def test_plain_text_spoken_to_where_tls_is_expected() -> None:
    async def scenario() -> None:
        async def venue(peer: RawPeer) -> None:
            await peer.reader.read(1)  # what is not read at the end would reset the connection
            await peer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
            await peer.silence()

        async with raw_server(venue) as url, Observed(url.replace("ws:", "wss:")).running() as seen:
            ending = await seen.ending()
        assert ending.reason is CloseReason.UNREACHABLE
        assert "cannot be reached: TLS failed (" in ending.cause

    asyncio.run(scenario())


def test_attempts_never_end(refused_port: int) -> None:
    async def scenario() -> None:
        async with Observed(f"ws://127.0.0.1:{refused_port}/").running() as seen:
            await seen.until(lambda: len(seen.endings()) >= 200)
            assert seen.endings()[199].attempt == 200
        assert max(seen.waits) == 30.0  # half of the cap

    asyncio.run(scenario())
