"""Real proxies of this machine, run with the files of `deploy/` before servers of a test."""

import os
import shutil
import ssl
import subprocess
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx2
import pytest

from tests.support.emulated import free_port
from tests.support.team import Team, bearer

DEPLOY = Path(__file__).parent.parent.parent / "deploy"
NAME = "mcp.example.com"


@dataclass
class Fronted(Team):
    """The servers of a team as their clients reach them: through a proxy."""

    trusted: ssl.SSLContext | bool = True

    def http(self, key: str = "", **headers: str) -> httpx2.AsyncClient:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return httpx2.AsyncClient(
            base_url=self.url,
            headers={**bearer(key), **named},
            timeout=30,
            verify=self.trusted,
        )


def require(program: str) -> str:
    """Skip the test where the proxy is not installed; in CI that is a failure."""
    path = shutil.which(program)
    if path is None:
        reason = f"{program} is not installed"
        if os.environ.get("CI") == "true":
            pytest.fail(reason)
        pytest.skip(reason)
    return path


def shipped(name: str, changes: dict[str, str]) -> str:
    """Read a file of `deploy/` with other addresses; each must be in it."""
    text = (DEPLOY / name).read_text("utf-8")
    for before, after in changes.items():
        assert before in text, f"{name} has no {before}"
        text = text.replace(before, after)
    return text


@asynccontextmanager
async def proxied(
    kind: str, folder: Path, ports: list[int]
) -> AsyncGenerator[tuple[str, ssl.SSLContext]]:
    """Run a proxy before servers on two ports; give its address, and what its clients trust."""
    program, port = require(kind), free_port()
    trusted = ssl.create_default_context()
    one, two = (f"127.0.0.1:{backend}" for backend in ports)
    if kind == "nginx":
        url, words = f"https://127.0.0.1:{port}", _nginx(folder, port, one, two)
        trusted.load_verify_locations(folder / "cert.pem")
    else:
        url, words = f"http://127.0.0.1:{port}", _caddy(folder)
    homes = {"XDG_DATA_HOME": str(folder), "XDG_CONFIG_HOME": str(folder)}
    env = {**os.environ, **homes, "ATOMS_SITE": url, "ATOMS_ONE": one, "ATOMS_TWO": two}
    with (folder / "proxy.log").open("w") as log:
        process = subprocess.Popen([program, *words], stdout=log, stderr=log, env=env)
    try:
        retrying = httpx2.AsyncHTTPTransport(retries=8, verify=trusted)
        async with httpx2.AsyncClient(transport=retrying, timeout=30) as http:
            await http.get(f"{url}/nothing")
        yield url, trusted
    finally:
        process.terminate()
        process.wait(timeout=60)


def _nginx(folder: Path, port: int, one: str, two: str) -> list[str]:
    certificate, key = folder / "cert.pem", folder / "key.pem"
    subject = ["-subj", f"/CN={NAME}", "-addext", "subjectAltName=IP:127.0.0.1"]
    made = ["-keyout", str(key), "-out", str(certificate), "-days", "1", "-nodes"]
    words = [require("openssl"), "req", "-x509", "-newkey", "rsa:2048", *made, *subject]
    subprocess.run(words, check=True, capture_output=True)
    paths = {f"/etc/ssl/{NAME}.pem": str(certificate), f"/etc/ssl/{NAME}.key": str(key)}
    site = folder / "site.conf"
    listen = {"listen 443 ssl": f"listen 127.0.0.1:{port} ssl"}
    backends = {"127.0.0.1:8081": one, "127.0.0.1:8082": two}
    site.write_text(shipped("nginx.conf", {**backends, **paths, **listen}), "utf-8")
    whole = folder / "nginx.conf"
    user = "user root;\n" if os.geteuid() == 0 else ""
    temporary = "".join(
        f"{kind}_temp_path {folder}/{kind};\n"
        for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    whole.write_text(
        f"{user}daemon off;\npid {folder}/pid;\nerror_log {folder}/error.log;\nevents {{}}\n"
        f"http {{\naccess_log off;\n{temporary}include {site};\n}}\n",
        "utf-8",
    )
    return ["-p", str(folder), "-c", str(whole)]


def _caddy(folder: Path) -> list[str]:
    # Its administration would listen on a port of its own.
    changes = {
        "health_interval 1s": "health_interval 100ms",
        "\tservers {": "\tadmin off\n\tservers {",
    }
    (folder / "Caddyfile").write_text(shipped("Caddyfile", changes), "utf-8")
    return ["run", "--adapter", "caddyfile", "--config", str(folder / "Caddyfile")]
