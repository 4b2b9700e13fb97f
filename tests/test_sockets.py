"""Taking a port, for `serve --http` and for `sandbox`."""

import errno
import socket
from collections.abc import Generator
from pathlib import Path

import pytest

from atoms_campaigns_mcp.errors import ConfigurationError
from atoms_campaigns_mcp.sockets import listening
from tests.support.process import environment, spawned


@pytest.fixture
def taken() -> Generator[int]:
    """A port that somebody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as other:
        yield other.getsockname()[1]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("words", "flag"),
    [
        (["serve", "--auth", "none", "--http", "127.0.0.1:{port}"], "--http 127.0.0.1:{next}"),
        (["sandbox", "--port", "{port}"], "--port {next}"),
    ],
)
def test_a_port_in_use_is_named_with_what_to_do_and_nothing_is_started(
    words: list[str], flag: str, taken: int, tmp_path: Path
) -> None:
    args = [word.format(port=taken) for word in words]
    with spawned(*args, env=environment(tmp_path / "state")) as child:
        code, err = child.leave()
    assert code == 2
    (line,) = err.splitlines()
    assert line.startswith(f"atoms-campaigns-mcp: Port {taken} of 127.0.0.1 is in use")
    assert f"({flag.format(next=taken + 1)})" in line
    assert not (tmp_path / "state" / "sandbox.sqlite3").exists()


@pytest.mark.parametrize(
    ("host", "reason"), [("192.0.2.1", "Cannot assign"), ("nowhere.invalid", "unknown name")]
)
def test_a_host_that_is_not_this_machines_is_refused_without_naming_it(
    host: str, reason: str
) -> None:
    with pytest.raises(ConfigurationError, match=rf"that host \({reason}.*127\.0\.0\.1") as error:
        listening(host, 0, flag=f"--http {host}:")
    assert host not in str(error.value)


def test_a_port_after_the_last_one_is_never_proposed(monkeypatch: pytest.MonkeyPatch) -> None:
    def in_use(*_: object, **__: object) -> None:
        raise OSError(errno.EADDRINUSE, "Address already in use")

    monkeypatch.setattr("atoms_campaigns_mcp.sockets.create_server", in_use)
    with pytest.raises(ConfigurationError, match=r"\(--port 65534\)"):
        listening("127.0.0.1", 65535, flag="--port ")
