"""The WebSocket of the library, with the receipt of every frame stamped and a bounded closing."""

from __future__ import annotations

import ssl
from collections import deque
from typing import Any, Final

from websockets.asyncio.client import ClientConnection, connect
from websockets.frames import DATA_OPCODES, Frame
from websockets.protocol import Event

from spark_engine.feeds.host_clock import local_ns

LARGEST_FRAME: Final = 4 * 1024 * 1024
QUEUE: Final = 4_096  # frames; the hand-over is the bound that counts, this one is filled within one chunk


class StampedSocket(ClientConnection):
    """`stamps`: receipt of each message that `recv` has not yet given, `local_ns`, in the same order.

    A message is stamped when its last bytes are read from the socket, not when somebody asks for it: what a
    slow consumer adds is his delay, not the venue's.
    """

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.stamps: deque[int] = deque()
        self.last_frame_at = self.loop.time()
        self._bounded = False

    def process_event(self, event: Event) -> None:
        if isinstance(event, Frame):
            self.last_frame_at = self.loop.time()  # pings and pongs count: the peer lives
            if event.fin and event.opcode in DATA_OPCODES:
                self.stamps.append(local_ns())
        super().process_event(event)

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        if not self._bounded and self.protocol.close_expected():
            # A client leaves it to the server to close the TCP connection; one that never does holds us.
            self._bounded = True
            self.loop.call_later(self.close_timeout or 0.0, self.transport.abort)

    @property
    def quiet_seconds(self) -> float:
        """Since the last frame of any kind."""
        return self.loop.time() - self.last_frame_at

    def forgive_silence(self) -> None:
        """The silence so far was ours: we did not read."""
        self.last_frame_at = self.loop.time()


async def open_socket(
    url: str, *, user_agent: str, open_seconds: float, close_seconds: float, tls: ssl.SSLContext | None
) -> StampedSocket:
    """Raises what `connect` of websockets raises; `failures.refused` turns it into words."""
    options: dict[str, Any] = {} if tls is None else {"ssl": tls}
    socket = await connect(
        url,
        create_connection=StampedSocket,
        user_agent_header=user_agent,
        compression=None,  # BTCTurk negotiates none; it would cost time and memory per connection
        max_size=LARGEST_FRAME,
        max_queue=QUEUE,
        open_timeout=open_seconds,
        close_timeout=close_seconds,
        ping_interval=None,  # the library ends a connection whose pings stay unanswered; ours are tolerant
        **options,
    )
    assert isinstance(socket, StampedSocket)  # noqa: S101 - as create_connection says
    return socket
