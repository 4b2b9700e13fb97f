"""A double of the API on this machine that answers at once: `python -m benchmarks.upstream`."""

import asyncio
import json
import subprocess
import sys
from collections.abc import Generator
from contextlib import contextmanager
from socket import IPPROTO_TCP, TCP_NODELAY
from typing import Any

import httpx2
import uvicorn

from benchmarks.stdio import environment

KEY = "sk_bench"
AUDIENCES = [
    {
        "_id": f"6963d3a8862e1cb702da72{n:02d}",
        "name": f"Customers {n}",
        "phoneNumberColumnName": "phoneNumber",
        "memberCount": 500,
    }
    for n in range(3)
]
BODY = json.dumps({"status": True, "data": AUDIENCES}).encode()
ACCOUNT = json.dumps({"_id": "1" * 24, "organizations": [{"_id": "2" * 24, "name": "B"}]}).encode()


COUNT = "/requests"
counted = 0


async def app(scope: dict[str, Any], receive: Any, send: Any) -> None:  # noqa: ARG001
    global counted  # noqa: PLW0603 - of this process, which does nothing else
    if scope["path"].endswith(COUNT):
        body = str(counted).encode()
    else:
        counted += 1
        body = ACCOUNT if scope["path"].endswith("/get-account-details") else BODY
    length = (b"content-length", str(len(body)).encode())
    headers = [(b"content-type", b"application/json"), length]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": body})


async def main() -> None:
    config = uvicorn.Config(app, host="127.0.0.1", port=0, log_config=None, lifespan="off")
    with config.bind_socket() as socket:
        socket.setsockopt(IPPROTO_TCP, TCP_NODELAY, 1)  # as for a server on the network
        socket.listen()
        print(socket.getsockname()[1], flush=True)
        await uvicorn.Server(config).serve(sockets=[socket])


@contextmanager
def answering() -> Generator[str]:
    """Run it in another process; give the address of the API."""
    with subprocess.Popen(
        [sys.executable, "-m", "benchmarks.upstream"], stdout=subprocess.PIPE, env=environment()
    ) as process:
        try:
            assert process.stdout is not None
            yield f"http://127.0.0.1:{int(process.stdout.readline())}/atoms/v1"
        finally:
            process.terminate()


def requests(url: str) -> int:
    """Ask how many requests it has answered."""
    return int(httpx2.get(url + COUNT).text)


if __name__ == "__main__":
    asyncio.run(main())
