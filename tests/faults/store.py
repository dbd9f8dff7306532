"""An S3 of our own that can fail as S3 does: 503 SlowDown, an answer lost after the object was stored, 412, slowness."""

from __future__ import annotations

import base64
import hashlib
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, unquote, urlsplit
from xml.sax.saxutils import escape

SLOW_DOWN, LOST_ANSWER, PRECONDITION = "slow down", "lost answer", "precondition"
Outage = Callable[[str, str], str | None]
"""What happens to a request of this method to this key: one of the words above; None: nothing."""


@dataclass
class FailingStore:
    """What is stored, by ``bucket/key``. ``outage`` and ``delay_s`` may be changed at any time; while ``calm``, nothing fails."""

    outage: Outage = lambda method, key: None
    delay_s: float = 0.0
    calm: bool = False
    objects: dict[str, bytes] = field(default_factory=dict)
    faults: dict[str, int] = field(default_factory=dict)
    lock: threading.Lock = field(default_factory=threading.Lock)
    url: str = ""

    def below(self, prefix: str) -> dict[str, bytes]:
        """The objects below ``bucket/prefix``, without it."""
        with self.lock:
            return {key.removeprefix(prefix): data for key, data in self.objects.items() if key.startswith(prefix)}

    def strike(self, method: str, key: str) -> str | None:
        """The fault of this request, counted."""
        found = None if self.calm else self.outage(method, key)
        if found is not None:
            with self.lock:
                self.faults[found] = self.faults.get(found, 0) + 1
        return found


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that is gone is no news here."""


@contextmanager
def failing_store() -> Iterator[FailingStore]:
    """Serve until the block ends."""
    store = FailingStore()
    server = _Server(("127.0.0.1", 0), _handler(store))
    store.url = f"http://127.0.0.1:{server.server_address[1]}"
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield store
    finally:
        server.shutdown()
        server.server_close()


def _handler(store: FailingStore) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, format: str, *args: object) -> None: ...

        def _key(self) -> str:
            return unquote(urlsplit(self.path).path).removeprefix("/")

        def _give(self, status: int, body: bytes = b"", **headers: str) -> None:
            self.send_response(status)
            self.send_header("Content-Length", headers.pop("length", str(len(body))))
            for name, value in headers.items():
                self.send_header(name.replace("_", "-"), value)
            self.end_headers()
            self.wfile.write(body)

        def _fail(self, status: int, code: str) -> None:
            self._give(status, f"<Error><Code>{code}</Code><Message>{code}</Message></Error>".encode(), Content_Type="text/xml")

        def _struck(self) -> bool:
            """Whether a fault has answered already."""
            time.sleep(store.delay_s)
            found = store.strike(self.command, self._key())
            if found == SLOW_DOWN:
                self._fail(503, "SlowDown")
            elif found == PRECONDITION:
                self._fail(412, "PreconditionFailed")
            elif found == LOST_ANSWER:
                self.close_connection = True
                self.connection.shutdown(2)
            return found is not None

        def do_PUT(self) -> None:
            data = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            key = self._key()
            with store.lock:
                taken = key in store.objects and self.headers.get("If-None-Match") == "*"
            if taken:
                self._fail(412, "PreconditionFailed")
                return
            time.sleep(store.delay_s)
            word = store.strike(self.command, key)
            with store.lock:  # an answer is lost after the object was stored
                if word not in (SLOW_DOWN, PRECONDITION):
                    store.objects[key] = data
            if word == SLOW_DOWN:
                self._fail(503, "SlowDown")
            elif word == PRECONDITION:
                self._fail(412, "PreconditionFailed")
            elif word == LOST_ANSWER:
                self.close_connection = True
                self.connection.shutdown(2)
            else:
                self._give(200)

        def do_HEAD(self) -> None:
            if self._struck():
                return
            with store.lock:
                data = store.objects.get(self._key())
            if data is None:
                self._give(404)
                return
            digest = base64.b64encode(hashlib.sha256(data).digest()).decode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(data)))
            self.send_header("x-amz-checksum-sha256", digest)
            self.end_headers()

        def do_GET(self) -> None:
            if self._struck():
                return
            asked = parse_qs(urlsplit(self.path).query)
            if "list-type" in asked:
                self._list(asked.get("prefix", [""])[0])
                return
            with store.lock:
                data = store.objects.get(self._key())
            if data is None:
                self._fail(404, "NoSuchKey")
            else:
                self._give(200, data)

        def _list(self, prefix: str) -> None:
            bucket = self._key().rstrip("/")
            names = sorted(store.below(f"{bucket}/{prefix}"))
            rows = "".join(f"<Contents><Key>{escape(prefix + name)}</Key><Size>1</Size></Contents>" for name in names)
            self._give(200, f"<ListBucketResult><IsTruncated>false</IsTruncated>{rows}</ListBucketResult>".encode())

        def do_DELETE(self) -> None:
            if self._struck():
                return
            with store.lock:
                store.objects.pop(self._key(), None)
            self._give(204)

    return Handler
