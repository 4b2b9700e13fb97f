"""The hosts themselves, with a stand-in for their model, do what docs/clients.md says they did."""

import shutil

import pytest

from tests.hosts.observe import observed, recorded
from tests.hosts.programs import HOSTS, Host


@pytest.mark.parametrize("host", HOSTS, ids=lambda host: host.program)
def test_what_is_recorded_of_a_host_is_safe_and_of_the_version_that_is_installed(
    host: Host,
) -> None:
    seen = recorded()["ran"][host.name]
    assert seen["version"] == host.version
    assert (seen["started_headless"], seen["stopped"]) == (False, True)
    assert seen.get("enter", "declines") == "declines"
    assert ("enter" in seen) == bool(host.terminal)


@pytest.mark.slow
@pytest.mark.parametrize("host", HOSTS, ids=lambda host: host.program)
def test_a_host_does_what_is_recorded_of_it(host: Host) -> None:
    if not host.installed:
        pytest.skip(
            f"{host.package} is not installed: scripts/clients hosts {host.program}. "
            "CI does not install the hosts, which take 1.3 GB."
        )
    if host.terminal and not shutil.which("tmux"):
        pytest.skip("needs tmux, in which hosts are driven; CI does not drive them.")
    assert observed(host) == recorded()["ran"][host.name]
