"""An S3 of our own that fails as S3 does, or worse: refusals, answers that are lost, cut off, dripped or never come, uploads in
parts that are reset or end with 200 and an error."""

from __future__ import annotations

import base64
import hashlib
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import count
from urllib.parse import parse_qs, unquote, urlsplit
from xml.sax.saxutils import escape

SLOW_DOWN, LOST_ANSWER, PRECONDITION = "slow down", "lost answer", "precondition"
CUT, DRIP, SILENCE, RESET, NO_ETAG, LATE_ERROR = "cut off", "drip", "silence", "reset", "no etag", "200 with an error"
REFUSALS = {
    SLOW_DOWN: (503, "SlowDown"),
    PRECONDITION: (412, "PreconditionFailed"),
    "fault": (500, "InternalError"),
    "forbidden": (403, "AccessDenied"),
    "skewed": (403, "RequestTimeTooSkewed"),
    "expired": (400, "ExpiredToken"),
    "no upload": (404, "NoSuchUpload"),
}
"""What is answered with an error at once."""
DRIP_S = 0.2
"""Between two bytes."""
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
    parts: dict[tuple[str, int], bytes] = field(default_factory=dict)
    """Of uploads that are not whole yet: by upload and number."""
    over: threading.Event = field(default_factory=threading.Event)
    numbers: Iterator[int] = field(default_factory=count)
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


def _plain(body: bytes, encoding: str) -> bytes:
    """The body without the chunks that a checksum behind it takes."""
    if "aws-chunked" not in encoding:
        return body
    data = b""
    while True:
        head, _, body = body.partition(b"\r\n")
        size = int(head.partition(b";")[0], 16)
        if not size:
            return data
        data, body = data + body[:size], body[size + 2 :]


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
        store.over.set()
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

        def _struck(self, data: bytes = b"") -> bool:
            """Whether a fault has answered already. ``data``: what a sound answer would have had."""
            time.sleep(store.delay_s)
            found = store.strike(self.command, self._key())
            if found in REFUSALS:
                self._fail(*REFUSALS[found])
            elif found == LOST_ANSWER:
                self._hang_up()
            elif found == SILENCE:
                store.over.wait(600)
            elif found == CUT and self.command == "GET":
                self._give(200, data[: len(data) // 2], length=str(len(data)))
                self._hang_up()
            elif found == DRIP and self.command == "GET":
                self._drip(data)
            else:
                return False
            return True

        def _drip(self, data: bytes) -> None:
            self._give(200, b"", length=str(len(data)))
            for byte in data:
                self.wfile.write(bytes([byte]))
                if store.over.wait(DRIP_S):
                    break

        def _hang_up(self) -> None:
            self.close_connection = True
            self.connection.shutdown(2)

        def do_PUT(self) -> None:
            key, asked, length = self._key(), parse_qs(urlsplit(self.path).query), int(self.headers.get("Content-Length", 0))
            word = store.strike(self.command, key)
            if word == RESET:
                self.rfile.read(length // 2)
                self._hang_up()
                return
            data = _plain(self.rfile.read(length), self.headers.get("Content-Encoding", ""))
            with store.lock:
                taken = key in store.objects and self.headers.get("If-None-Match") == "*"
            if taken:
                self._fail(412, "PreconditionFailed")
                return
            time.sleep(store.delay_s)
            with store.lock:  # an answer is lost after the object was stored
                if word in REFUSALS:
                    pass
                elif "partNumber" in asked:
                    store.parts[asked["uploadId"][0], int(asked["partNumber"][0])] = data
                else:
                    store.objects[key] = data
            if word in REFUSALS:
                self._fail(*REFUSALS[word])
            elif word == LOST_ANSWER:
                self._hang_up()
            elif word == SILENCE:
                store.over.wait(600)
            else:
                self._give(200, **({} if word == NO_ETAG else {"ETag": '"e"'}))

        def do_POST(self) -> None:
            """An upload in parts begins, or is to be put together."""
            key, query = self._key(), urlsplit(self.path).query
            self.rfile.read(int(self.headers.get("Content-Length", 0)))
            word = store.strike(self.command, key)
            if word in REFUSALS:
                self._fail(*REFUSALS[word])
            elif word == LATE_ERROR and "uploadId" in query:
                self._give(200, b"<Error><Code>InternalError</Code><Message>We had a fault</Message></Error>")
            elif "uploadId" in query:
                upload = parse_qs(query)["uploadId"][0]
                with store.lock:
                    numbers = sorted(number for each, number in store.parts if each == upload)
                    store.objects[key] = b"".join(store.parts.pop((upload, number)) for number in numbers)
                self._give(200, b'<CompleteMultipartUploadResult><ETag>"e"</ETag></CompleteMultipartUploadResult>')
            else:
                upload = f"u{next(store.numbers)}"
                self._give(
                    200, f"<InitiateMultipartUploadResult><UploadId>{upload}</UploadId></InitiateMultipartUploadResult>".encode()
                )

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
            asked = parse_qs(urlsplit(self.path).query)
            with store.lock:
                data = store.objects.get(self._key())
            if self._struck(data or b"x" * 100):
                return
            if "list-type" in asked:
                self._list(asked.get("prefix", [""])[0])
            elif data is None:
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
            upload = parse_qs(urlsplit(self.path).query).get("uploadId")
            with store.lock:
                if upload is None:
                    store.objects.pop(self._key(), None)
                else:
                    store.parts = {where: data for where, data in store.parts.items() if where[0] != upload[0]}
            self._give(204)

    return Handler
