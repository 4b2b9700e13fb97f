"""The files of deploy/ are right as far as programs of this machine can tell."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from atoms_campaigns_mcp.cli.parser import parser
from atoms_campaigns_mcp.config.settings import SETTINGS, Settings
from tests.support.emulated import free_port
from tests.support.process import killed_at_the_end
from tests.support.proxies import DEPLOY, require
from tests.support.redis import PROGRAM, require_redis

VARIABLES = {row.variable for row in SETTINGS}
VALUES = {
    "REDIS_PASSWORD": "p" * 32,
    "ATOMS_MCP_SECRET": "s" * 32,
    "ATOMS_SITE": "mcp.example.com",
}
COMPOSE: dict[str, Any] = yaml.safe_load((DEPLOY / "compose.yaml").read_text("utf-8"))
KUBERNETES: dict[tuple[str, str], dict[str, Any]] = {
    (one["kind"], one["metadata"]["name"]): one
    for one in yaml.safe_load_all((DEPLOY / "kubernetes.yaml").read_text("utf-8"))
}
UNIT = (DEPLOY / "atoms-campaigns@.service").read_text("utf-8")


def filled(text: str) -> str:
    """Fill in what .env says, as compose does."""
    return re.sub(r"\$\{(\w+):\?\}", lambda found: VALUES[found[1]], text)


def test_the_words_of_every_server_are_those_of_the_command_line() -> None:
    pod = KUBERNETES["StatefulSet", "atoms-campaigns"]["spec"]["template"]["spec"]
    (unit,) = re.findall(r"^ExecStart=\S+ (.*)$", UNIT, re.MULTILINE)
    commands = [COMPOSE["services"]["one"]["command"], pod["containers"][0]["args"], unit.split()]
    for words in commands:
        args = parser().parse_args(words)
        assert args.auth == "key"
        assert args.http


@pytest.mark.parametrize("name", ["one", "two"])
def test_the_settings_of_each_replica_in_compose_are_accepted(name: str) -> None:
    given = COMPOSE["services"][name]["environment"]
    settings = Settings.load({k: filled(v) for k, v in given.items()}, auth="key")
    assert settings.replica == name
    assert str(settings.state) == "redis://redis:6379/0"
    assert settings.allowed_hosts == ("mcp.example.com",)


def test_the_settings_of_each_pod_are_accepted_and_its_name_is_one_of_a_replica() -> None:
    pod = KUBERNETES["StatefulSet", "atoms-campaigns"]["spec"]["template"]["spec"]
    secret = KUBERNETES["Secret", "atoms-campaigns"]["stringData"]
    given = {
        one["name"]: one.get("value", "atoms-campaigns-0") for one in pod["containers"][0]["env"]
    }
    settings = Settings.load(given | secret | {"ATOMS_MCP_SECRET": "s" * 32}, auth="key")
    assert settings.replica == "atoms-campaigns-0"


def test_every_variable_that_a_file_names_is_a_setting() -> None:
    for path in DEPLOY.iterdir():
        named = set(re.findall(r"ATOMS_MCP_[A-Z_]+", path.read_text("utf-8")))
        assert named <= VARIABLES, path.name


def test_probes_ask_for_paths_that_are_served() -> None:
    text = (DEPLOY / "kubernetes.yaml").read_text("utf-8") + (DEPLOY / "Caddyfile").read_text(
        "utf-8"
    )
    assert set(re.findall(r"/health/\w+", text)) == {"/health/live", "/health/ready"}


def test_every_file_is_told_of_with_how_it_was_tried() -> None:
    readme = (DEPLOY / "README.md").read_text("utf-8")
    assert {path.name for path in DEPLOY.iterdir()} - {"README.md"} == set(
        re.findall(r"^\| `([^`]+)` \|", readme, re.MULTILINE)
    )


@pytest.mark.slow
def test_redis_starts_with_the_words_of_compose_and_keeps_all(tmp_path: Path) -> None:
    require_redis()
    program, *words = [filled(word) for word in COMPOSE["services"]["redis"]["command"]]
    assert program == "redis-server"
    assert PROGRAM is not None
    here = ["--port", str(free_port()), "--bind", "127.0.0.1", "--dir", str(tmp_path)]
    process = subprocess.Popen([PROGRAM, *words, *here], stdout=subprocess.PIPE, text=True)
    with killed_at_the_end(process):
        assert process.stdout is not None
        assert any("Ready to accept connections" in line for line in process.stdout)
        process.terminate()
    settings = dict(zip(words[::2], words[1::2], strict=True))
    assert settings["--appendonly"] == "yes"
    assert settings["--appendfsync"] == "always"
    assert settings["--maxmemory-policy"] == "noeviction"


@pytest.mark.slow
def test_nginx_takes_the_gateway_of_kubernetes(tmp_path: Path) -> None:
    site = KUBERNETES["ConfigMap", "atoms-campaigns-gateway"]["data"]["default.conf"]
    assert "kube-dns.kube-system.svc.cluster.local" in site
    site = site.replace("kube-dns.kube-system.svc.cluster.local", "127.0.0.1")
    whole = tmp_path / "nginx.conf"
    log = f"error_log {tmp_path}/log;\npid {tmp_path}/pid;\n"
    whole.write_text(f"{log}events {{}}\nhttp {{\naccess_log off;\n{site}\n}}\n", "utf-8")
    words = [require("nginx"), "-t", "-p", str(tmp_path), "-c", str(whole)]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


@pytest.mark.slow
def test_systemd_finds_nothing_wrong_with_the_unit(tmp_path: Path) -> None:
    program = shutil.which("systemd-analyze")
    if program is None:
        pytest.skip("there is no systemd on this machine")
    here = tmp_path / "atoms-campaigns@.service"
    command = Path(sys.executable).parent / "atoms-campaigns-mcp"
    assert "/opt/atoms/bin/atoms-campaigns-mcp" in UNIT
    here.write_text(UNIT.replace("/opt/atoms/bin/atoms-campaigns-mcp", str(command)), "utf-8")
    done = subprocess.run(
        [program, "verify", "--man=no", str(tmp_path / "atoms-campaigns@one.service")],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "SYSTEMD_UNIT_PATH": f"{tmp_path}:"},
    )
    told = [line for line in done.stderr.splitlines() if "atoms-campaigns" in line]
    assert (done.returncode, told) == (0, []), done.stderr
