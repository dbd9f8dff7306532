"""A Hugging Face hub on a loopback port, as far as huggingface_hub and datasets ask: one dataset repository, from a folder.

Written to what the real client asks of it; the real hub is out of the tests' reach.
"""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

COMMIT = "5e628be450b7e67fb7ae6e201bd6d8f7056f7672"


@contextmanager
def fake_hub(repo: str, folder: Path) -> Iterator[str]:
    """The address of a hub whose dataset ``repo`` has the files in ``folder``, all at ``COMMIT``."""
    handler = type("Handler", (_Handler,), {"repo": repo, "folder": folder})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class _Handler(BaseHTTPRequestHandler):
    repo: str
    folder: Path
    protocol_version = "HTTP/1.1"

    def do_HEAD(self) -> None:
        self._answer(body=False)

    def do_GET(self) -> None:
        self._answer(body=True)

    def do_POST(self) -> None:
        size = int(self.headers.get("Content-Length") or 0)
        asked = json.loads(self.rfile.read(size) or b"{}").get("paths", [])
        self._json([entry for entry in self._tree() if entry["path"] in asked])

    def _answer(self, body: bool) -> None:
        path = unquote(urlsplit(self.path).path)
        if path.startswith(f"/datasets/{self.repo}/resolve/"):
            self._file(path.split("/", 6)[6], body)
        elif path.startswith(f"/api/datasets/{self.repo}/tree/"):
            self._json(self._children(path.split("/", 7)[7] if path.count("/") > 6 else ""))
        elif path in (f"/api/datasets/{self.repo}", f"/api/datasets/{self.repo}/revision/{COMMIT}"):
            siblings = [{"rfilename": entry["path"]} for entry in self._tree()]
            self._json({"id": self.repo, "sha": COMMIT, "private": False, "downloads": 0, "tags": [], "siblings": siblings})
        else:
            self._not_found("RepoNotFound" if self.repo not in path else "RevisionNotFound")

    def _children(self, name: str) -> list[dict[str, Any]]:
        folders = sorted(path for path in (self.folder / name).glob("*") if path.is_dir())
        inside = [entry for entry in self._tree() if str(Path(entry["path"]).parent) == (name or ".")]
        return [{"type": "directory", "path": str(path.relative_to(self.folder)), "oid": COMMIT} for path in folders] + inside

    def _tree(self) -> list[dict[str, Any]]:
        files = sorted(path for path in self.folder.rglob("*") if path.is_file())
        return [
            {"type": "file", "path": str(path.relative_to(self.folder)), "size": path.stat().st_size, "oid": self._etag(path)}
            for path in files
        ]

    def _etag(self, path: Path) -> str:
        return hashlib.sha1(path.read_bytes()).hexdigest()

    def _file(self, name: str, body: bool) -> None:
        path = self.folder / name
        if not path.is_file():
            self._not_found("EntryNotFound")
            return
        content = path.read_bytes()
        start = int((self.headers.get("Range") or "bytes=0-").removeprefix("bytes=").split("-")[0])
        self.send_response(206 if "Range" in self.headers else 200)
        self.send_header("X-Repo-Commit", COMMIT)
        self.send_header("ETag", f'"{self._etag(path)}"')
        self.send_header("Content-Length", str(len(content) - start))
        if "Range" in self.headers:
            self.send_header("Content-Range", f"bytes {start}-{len(content) - 1}/{len(content)}")
        self.end_headers()
        if body:
            self.wfile.write(content[start:])

    def _json(self, content: Any) -> None:
        body = json.dumps(content).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def _not_found(self, code: str) -> None:
        self.send_response(404)
        self.send_header("X-Error-Code", code)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing."""
