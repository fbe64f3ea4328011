"""A headless Chromium, driven over a pipe, and a page as Jenkins would serve it."""

from __future__ import annotations

import base64
import itertools
import json
import os
import select
import shutil
import subprocess
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    from pathlib import Path

PROGRAM = shutil.which("chromium") or shutil.which("google-chrome")

JENKINS_POLICY = "sandbox; default-src 'none'; img-src 'self'; style-src 'self';"
"""What Jenkins sends with every file that a build publishes."""

_SECONDS = 30


class Server(ThreadingHTTPServer):
    """Serves one page, which can be changed, under Jenkins' policy; a context manager.

    Attributes:
        page: The page.
        policy: The content policy that is sent with it.
    """

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.page = ""
        self.policy = JENKINS_POLICY
        self.url = f"http://127.0.0.1:{self.server_port}/report.html"
        self._thread = threading.Thread(target=self.serve_forever, args=(0.05,))

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.shutdown()
        self._thread.join()
        self.server_close()


class _Handler(BaseHTTPRequestHandler):
    server: Server

    def do_GET(self) -> None:
        found = self.path == "/report.html"
        self.send_response(200 if found else 204)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.send_header("Content-Security-Policy", self.server.policy)
        self.end_headers()
        if found:
            self.wfile.write(self.server.page.encode())

    def log_message(self, *_: object) -> None:
        """Say nothing."""


class Chromium:
    """A browser of our own: opened and closed as a context manager.

    Attributes:
        messages: What the console said, the policy's refusals included.
    """

    def __init__(self, profile: Path) -> None:
        self.messages: list[str] = []
        self._profile = profile
        self._numbers = itertools.count(1)
        self._buffer = b""
        self._session: str | None = None

    def __enter__(self) -> Self:
        theirs_in, self._out = os.pipe()
        self._in, theirs_out = os.pipe()
        flags = "--headless --no-sandbox --disable-gpu --no-first-run --remote-debugging-pipe"
        script = f'exec "$0" {flags} --user-data-dir="$1" 3<&{theirs_in} 4>&{theirs_out}'
        self._process = subprocess.Popen(
            ["bash", "-c", script, str(PROGRAM), str(self._profile)],
            pass_fds=(theirs_in, theirs_out),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        os.close(theirs_in)
        os.close(theirs_out)
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.wait(_SECONDS)
        os.close(self._in)
        os.close(self._out)

    def open(self, url: str, *, width: int, height: int = 900) -> None:
        """Open a page in a window of that size and wait until it is loaded."""
        target = self.send("Target.createTarget", url="about:blank")["targetId"]
        attached = self.send("Target.attachToTarget", targetId=target, flatten=True)
        self._session = attached["sessionId"]
        for domain in ("Page", "Log", "Runtime", "DOM"):
            self.send(f"{domain}.enable")
        size = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 800}
        self.send("Emulation.setDeviceMetricsOverride", **size)
        self.send("Page.navigate", url=url)
        while self._receive().get("method") != "Page.loadEventFired":
            pass

    def box_of(self, selector: str) -> tuple[float, float, float, float]:
        """Return left, top, right and bottom of the first element that is selected."""
        root = self.send("DOM.getDocument")["root"]["nodeId"]
        node = self.send("DOM.querySelector", nodeId=root, selector=selector)["nodeId"]
        quad = self.send("DOM.getBoxModel", nodeId=node)["model"]["border"]
        return quad[0], quad[1], quad[4], quad[5]

    def open_details(self) -> None:
        """Open everything that a person can open."""
        root = self.send("DOM.getDocument")["root"]["nodeId"]
        found = self.send("DOM.querySelectorAll", nodeId=root, selector="details")["nodeIds"]
        for node in found:
            self.send("DOM.setAttributeValue", nodeId=node, name="open", value="")

    def content_width(self) -> float:
        """Return how wide the page is, what must be scrolled to included."""
        width: float = self.send("Page.getLayoutMetrics")["cssContentSize"]["width"]
        return width

    def screenshot(self) -> bytes:
        """Return what a person sees without scrolling, as PNG."""
        return base64.b64decode(self.send("Page.captureScreenshot")["data"])

    def printed(self) -> bytes:
        """Return the page as it is printed, as PDF."""
        return base64.b64decode(self.send("Page.printToPDF", preferCSSPageSize=True)["data"])

    def evaluate(self, script: str) -> Any:  # noqa: ANN401 - JSON data
        """Return what a script gives, once it has settled; not under a policy of Jenkins."""
        answer = self.send(
            "Runtime.evaluate", expression=script, awaitPromise=True, returnByValue=True
        )
        assert "exceptionDetails" not in answer, answer
        return answer["result"].get("value")

    def send(self, method: str, **parameters: Any) -> dict[str, Any]:  # noqa: ANN401 - JSON data
        """Send a command of the DevTools protocol and return its result."""
        number = next(self._numbers)
        message: dict[str, Any] = {"id": number, "method": method, "params": parameters}
        if self._session is not None and not method.startswith("Target."):
            message["sessionId"] = self._session
        os.write(self._out, json.dumps(message).encode() + b"\0")
        while (answer := self._receive()).get("id") != number:
            pass
        assert "error" not in answer, answer
        result: dict[str, Any] = answer["result"]
        return result

    def _receive(self) -> dict[str, Any]:
        deadline = time.monotonic() + _SECONDS
        while b"\0" not in self._buffer:
            ready, _, _ = select.select([self._in], [], [], max(deadline - time.monotonic(), 0))
            assert ready, "Chromium did not answer in time"
            piece = os.read(self._in, 1 << 16)
            assert piece, "Chromium died"
            self._buffer += piece
        line, _, self._buffer = self._buffer.partition(b"\0")
        message: dict[str, Any] = json.loads(line)
        if message.get("method") in ("Log.entryAdded", "Runtime.consoleAPICalled"):
            self.messages.append(json.dumps(message["params"]))
        return message
