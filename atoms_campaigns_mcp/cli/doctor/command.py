"""The command `doctor`: every check in its order, and the report."""

import importlib.metadata
import sys
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TextIO
from urllib.parse import urlsplit

import anyio
import httpx2

from atoms_campaigns_mcp.cli.doctor import account, api, clients, program, state, team
from atoms_campaigns_mcp.cli.doctor.check import Check, failed, ok
from atoms_campaigns_mcp.cli.doctor.report import show
from atoms_campaigns_mcp.cli.doctor.server_probe import start
from atoms_campaigns_mcp.cli.install.machine import Machine
from atoms_campaigns_mcp.config.settings import Settings
from atoms_campaigns_mcp.errors import AtomsCampaignsError, ConfigurationError
from atoms_campaigns_mcp.runtime import Clocks


@dataclass(frozen=True, slots=True)
class Patient:
    """What is examined: a machine, its Python, clocks and network; `network` replaces the real."""

    machine: Machine
    clocks: Clocks = field(default_factory=Clocks)
    network: httpx2.AsyncBaseTransport | None = None
    python: tuple[int, int, int] = sys.version_info[:3]
    version_of: Callable[[str], str] = importlib.metadata.version
    start: clients.Start = start
    serving: team.Serving | None = None


def run(flags: Mapping[str, str], patient: Patient, out: TextIO, *, as_json: bool) -> int:
    """Examine and report; 0 if nothing failed."""
    checks = anyio.run(partial(examine, flags, patient))
    show(checks, out, as_json=as_json)
    return int(any(check.status == "failed" for check in checks))


async def examine(flags: Mapping[str, str], patient: Patient) -> list[Check]:
    """Run every check that the ones before it leave possible."""
    machine = patient.machine
    checks = [
        program.python(patient.python, machine.executable),
        program.package(patient.version_of),
    ]
    try:
        auth = patient.serving.auth if patient.serving else ""
        settings = Settings.load(machine.environ, flags, policies=machine.policies(), auth=auth)
    except ConfigurationError as error:
        checks.append(failed("settings", error.message, error.next_step))
    else:
        checks.append(program.limits(settings, machine.policy_folders))
        checks += await _api(settings, patient)
        if serving := patient.serving:
            checks += await team.checks(settings, serving, patient.clocks, patient.network)
        checks.append(await state.store(settings, patient.clocks))
        checks.append(state.permissions(settings, windows=machine.windows))
    with tempfile.TemporaryDirectory(prefix="atoms-doctor-", ignore_cleanup_errors=True) as scratch:
        found = clients.clients(machine, patient.start, Path(scratch))
        checks += [check async for check in found]
    return checks


async def _api(settings: Settings, patient: Patient) -> list[Check]:
    live = settings.mode == "live"
    checks: list[Check] = []
    if live:
        answer = await api.probe(settings, patient.clocks, patient.network)
        checks.append(api.api(answer, urlsplit(settings.api_url).netloc))
        if checks[0].status == "failed":
            return checks
        checks.append(api.clock(answer))
    if settings.serves_tenants:
        return checks  # each request brings its own account
    try:
        report, seconds = await account.read(settings, patient.clocks, patient.network)
    except AtomsCampaignsError as error:
        return [*checks, account.unreadable(error)]
    if not live:
        text = f"The sandbox answers in this process, in {seconds * 1000:.0f} ms."
        checks += [ok("api", text), ok("clock", "The sandbox follows this machine's clock.")]
    return checks + account.checks(report, settings)
