"""A way to a server on which a COMMIT can be lost, or its answer."""

import contextlib
import select
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

COMMIT = b"COMMIT"


class Proxy:
    """Forwards connections; ``strike`` says what happens to the next COMMIT, then it is ''.

    ``before``: it never arrives. ``after``: it is done, its answer is lost. ``meanwhile``: it is
    forwarded and the line is cut at once, whatever becomes of it.
    """

    def __init__(self, port: int) -> None:
        self.strike = ""
        self.struck: list[str] = []
        self._port = port
        self._lock = threading.Lock()
        self._ear = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._ear.getsockname()[1])
        threading.Thread(target=self._listen, daemon=True).start()

    def close(self) -> None:
        """Take no more connections."""
        self._ear.close()

    def _listen(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._ear.accept()
                server = socket.create_connection(("127.0.0.1", self._port))
                threading.Thread(target=self._forward, args=(client, server), daemon=True).start()

    def _forward(self, client: socket.socket, server: socket.socket) -> None:
        with client, server, contextlib.suppress(OSError):
            while True:
                for ready in select.select([client, server], [], [])[0]:
                    data = ready.recv(1 << 16)
                    if not data:
                        return
                    if ready is client and COMMIT in data and self._cut(data, server):
                        return
                    (server if ready is client else client).sendall(data)

    def _cut(self, data: bytes, server: socket.socket) -> bool:
        with self._lock:
            how, self.strike = self.strike, ""
        if not how:
            return False
        self.struck.append(how)
        if how != "before":
            server.sendall(data)
        if how == "after":
            server.recv(1 << 16)
        return True


@contextmanager
def proxied(url: str) -> Iterator[tuple[Proxy, str]]:
    """Yield a proxy before the server of a URL, and the URL through it."""
    head, _, rest = url.rpartition(":")
    port, _, database = rest.partition("/")
    proxy = Proxy(int(port))
    try:
        yield proxy, f"{head}:{proxy.port}/{database}"
    finally:
        proxy.close()
