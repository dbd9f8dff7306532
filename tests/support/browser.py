"""A headless Chromium that a test clicks in, over the DevTools protocol."""

from __future__ import annotations

import itertools
import json
import shutil
import subprocess
import time
import urllib.request
from base64 import b64decode
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import websocket

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
FLAGS = ["--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-sync", "--disable-background-networking"]


class Browser:
    """One page."""

    def __init__(self, address: str) -> None:
        self._socket = websocket.create_connection(address, timeout=30, suppress_origin=True)
        self._numbers = itertools.count(1)

    def ask(self, method: str, **parameters: Any) -> dict[str, Any]:
        number = next(self._numbers)
        self._socket.send(json.dumps({"id": number, "method": method, "params": parameters}))
        while True:
            answer = json.loads(self._socket.recv())
            if answer.get("id") == number:
                result: dict[str, Any] = answer.get("result", {})
                return result

    def value(self, script: str) -> Any:
        """What a script of the page gives."""
        return self.ask("Runtime.evaluate", expression=script, returnByValue=True)["result"].get("value")

    def text(self) -> str:
        """What the page shows."""
        return self.value("document.body.innerText") or ""

    def click(self, words: str) -> bool:
        """Click what shows just ``words``; False: nothing does."""
        places = "[...document.querySelectorAll('button, [role=tab], a')]"
        found = f"{places}.find(e => e.innerText.trim().toLowerCase() === {words.lower()!r})"
        return bool(self.value(f"(() => {{ const e = {found}; if (!e || e.disabled) return false; e.click(); return true; }})()"))

    def close(self) -> None:
        self._socket.close()

    def picture(self, path: Path) -> None:
        """The page as it looks, as a PNG."""
        path.write_bytes(b64decode(self.ask("Page.captureScreenshot")["data"]))


@contextmanager
def browser(url: str, scratch: Path) -> Iterator[Browser]:
    """A browser that has gone to ``url``."""
    assert CHROMIUM is not None
    profile = scratch / "profile"
    flags = [*FLAGS, f"--user-data-dir={profile}", "--remote-debugging-port=0", "--window-size=1280,800"]
    process = subprocess.Popen([CHROMIUM, *flags, url], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        page = Browser(_address(profile))
        try:
            yield page
        finally:
            page.close()
    finally:
        process.terminate()
        process.wait(timeout=30)


def _address(profile: Path) -> str:
    """Where the page's DevTools listen, once they do."""
    end = time.monotonic() + 30
    while time.monotonic() < end:
        with suppress(OSError, ValueError, StopIteration):
            port = int((profile / "DevToolsActivePort").read_text().splitlines()[0])
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/json", timeout=5) as answer:
                pages = json.loads(answer.read())
            return str(next(page["webSocketDebuggerUrl"] for page in pages if page["type"] == "page"))
        time.sleep(0.1)
    raise AssertionError("the browser did not come up")
