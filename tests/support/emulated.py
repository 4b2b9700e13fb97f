"""The emulated API as a child process, and a real MCP client of our server over real stdio."""

import json
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx2

from tests.support.process import environment


@dataclass
class Front:
    """Stands between our server and the emulated API: counts, and fails where it is told to.

    A request whose method and path hold `slow` takes `seconds` longer, and sets `reached`.
    """

    api: str
    url: str = ""
    starts: int = 0
    keys: set[str] = field(default_factory=set[str])
    faults: list[tuple[str, int, Any]] = field(default_factory=list[tuple[str, int, Any]])
    slow: str = ""
    seconds: float = 0.0
    reached: threading.Event = field(default_factory=threading.Event)
    http: httpx2.Client = field(default_factory=lambda: httpx2.Client(timeout=30))

    def answer(self, method: str, path: str, headers: Any, body: bytes) -> tuple[int, str, bytes]:
        self.keys.add(headers.get("Authorization", ""))
        if method == "POST" and path.endswith("/start"):
            self.starts += 1
        if self.slow and self.slow in f"{method} {path}":
            self.reached.set()
            time.sleep(self.seconds)
        for part, status, document in self.faults:
            if part in f"{method} {path}":
                return status, "application/json", json.dumps(document).encode()
        kept = {k: v for k, v in headers.items() if k.lower() in {"authorization", "content-type"}}
        reply = self.http.request(method, self.api + path, content=body, headers=kept)
        return reply.status_code, reply.headers.get("content-type", ""), reply.content


@contextmanager
def fronted(api: str) -> Generator[Front]:
    front = Front(api)

    class Handler(BaseHTTPRequestHandler):
        def respond(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            status, kind, content = front.answer(self.command, self.path, self.headers, body)
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        do_GET = do_POST = do_DELETE = respond  # noqa: N815 - names that the library looks for

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    front.url = f"http://127.0.0.1:{server.server_port}"
    try:
        yield front
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
        front.http.close()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@contextmanager
def emulated(folder: Path, speed: str = "1200") -> Generator[str]:
    """Run `atoms-campaigns-mcp sandbox`; give its origin."""
    port = free_port()
    words = ["sandbox", "--port", str(port), "--db", str(folder / "api.db"), "--speed", speed]
    process = subprocess.Popen(
        [sys.executable, "-u", "-m", "atoms_campaigns_mcp", *words],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env=environment(folder),
    )
    origin = f"http://127.0.0.1:{port}"
    try:
        # Its first answer says that it listens; connecting is tried again until then.
        retrying = httpx2.HTTPTransport(retries=10)
        with httpx2.Client(transport=retrying, timeout=30) as http:
            http.get(f"{origin}/atoms/v1/user", headers={"Authorization": "Bearer sk_ready"})
        yield origin
    finally:
        process.terminate()
        process.wait(timeout=60)
