"""The command `install` on a made-up machine, and what it wrote."""

import io
import json
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from atoms_campaigns_mcp.cli.install.clients import CLIENTS
from atoms_campaigns_mcp.cli.install.command import InstallOptions, run
from atoms_campaigns_mcp.cli.install.machine import Machine

STAMP = "20270104T120000Z"  # the fake clock's noon


@dataclass
class Done:
    status: int
    out: str
    err: str


def install(machine: Machine, client: str, **wishes: Any) -> Done:
    out, err = io.StringIO(), io.StringIO()
    status = run(InstallOptions(client, **wishes), machine, out, err)
    return Done(status, out.getvalue(), err.getvalue())


def file_of(machine: Machine, client: str) -> Path:
    return CLIENTS[client].file(machine)


def put(machine: Machine, client: str, text: str, mode: int = 0o644) -> Path:
    path = file_of(machine, client)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text.encode())
    path.chmod(mode)
    return path


def parsed(client: str, text: str) -> Any:
    return tomllib.loads(text) if CLIENTS[client].toml else json.loads(text)


def data_of(machine: Machine, client: str) -> Any:
    return parsed(client, file_of(machine, client).read_text("utf-8"))


def entry_of(machine: Machine, client: str, name: str = "atoms-campaigns") -> dict[str, Any]:
    return data_of(machine, client)[CLIENTS[client].table][name]


def files_beside(path: Path) -> set[str]:
    return {other.name for other in path.parent.iterdir()}
