"""What is published says the same everywhere, and starts safely when nothing was filled in."""

import json
import re
import tomllib
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from atoms_campaigns_mcp import __version__
from atoms_campaigns_mcp.config.settings import SETTINGS, Settings
from atoms_campaigns_mcp.server.http.paths import HEALTH

ROOT = Path(__file__).parent.parent.parent
SERVER: dict[str, Any] = json.loads((ROOT / "server.json").read_text("utf-8"))
BUNDLE: dict[str, Any] = json.loads((ROOT / "bundle" / "manifest.json").read_text("utf-8"))
FIELDS: dict[str, dict[str, Any]] = BUNDLE["user_config"]
# Joins lines that end in a backslash.
CONTAINERFILE = (ROOT / "Containerfile").read_text("utf-8").replace("\\\n", " ")


def filled_in(**given: str) -> dict[str, str]:
    """Fill in a bundle's fields as a host does: an optional one without a default stays as is."""
    values = {name: field["default"] for name, field in FIELDS.items() if "default" in field}
    texts = {k: str(v).lower() if isinstance(v, bool) else str(v) for k, v in values.items()}
    texts |= given

    def value(match: re.Match[str]) -> str:
        return texts.get(match[1], match[0])

    env: dict[str, str] = BUNDLE["server"]["mcp_config"]["env"]
    return {k: re.sub(r"\$\{user_config\.(\w+)\}", value, text) for k, text in env.items()}


def instruction(word: str) -> list[str]:
    return re.findall(rf"^{word} +(.+)$", CONTAINERFILE, re.MULTILINE)


def test_every_manifest_has_the_version_of_the_package() -> None:
    versions = [SERVER["version"], BUNDLE["version"], *(p["version"] for p in SERVER["packages"])]
    assert versions == [__version__] * 3
    assert f"## {__version__} " in (ROOT / "CHANGELOG.md").read_text("utf-8")


def test_the_readme_claims_the_name_in_the_registry() -> None:
    # The registry looks for it in the published description, and refuses the package without.
    readme = (ROOT / "README.md").read_text("utf-8")
    assert f"<!-- mcp-name: {SERVER['name']} -->" in readme


def test_every_secret_is_marked_in_every_manifest() -> None:
    (package,) = SERVER["packages"]
    marked = {v["name"] for v in package["environmentVariables"] if v.get("isSecret")}
    assert marked == {row.variable for row in SETTINGS if row.secret}
    env: dict[str, str] = BUNDLE["server"]["mcp_config"]["env"]
    for variable in marked & set(env):
        assert FIELDS[env[variable].removeprefix("${user_config.").removesuffix("}")]["sensitive"]


def test_a_bundle_with_nothing_filled_in_is_a_sandbox() -> None:
    assert Settings.load(filled_in()) == Settings()


FILLED: dict[str, tuple[str, dict[str, Any]]] = {
    "api_key": ("sk_made_up", {"api_key": "sk_made_up"}),
    "calling_hours": ("09:00-20:30", {"calling_hours": (9 * 60, 20 * 60 + 30)}),
    "files": (str(ROOT), {"files": (ROOT,)}),
    "max_contacts": ("50", {"max_contacts": 50}),
    "no_dial": ("true", {"no_dial": True}),
    "read_only": ("true", {"read_only": True}),
}


@pytest.mark.parametrize("name", sorted(FIELDS))
def test_what_is_filled_in_reaches_its_setting(name: str) -> None:
    given, changes = FILLED[name]
    assert Settings.load(filled_in(**{name: given})) == replace(Settings(), **changes)


def test_the_container_is_not_root_and_keeps_its_state_in_the_volume() -> None:
    user = instruction("USER")[-1]
    assert all(int(part) > 0 for part in user.split(":"))
    (folder,) = instruction("VOLUME")
    assert f"ATOMS_MCP_STATE={folder} " in instruction("ENV")[-1]


def test_the_container_holds_no_secret_and_serves_nobody_without_a_key() -> None:
    given = " ".join(instruction("ENV") + instruction("ARG"))
    assert not [row.variable for row in SETTINGS if row.secret and row.variable in given]
    assert instruction("ENTRYPOINT") == ['["atoms-campaigns-mcp"]']
    assert json.loads(instruction("CMD")[-1])[-2:] == ["--auth", "key"]


def test_the_container_has_what_replicas_and_telemetry_need() -> None:
    (installed,) = re.findall(r"'/source\[([a-z,]+)\]'", CONTAINERFILE)
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    assert set(installed.split(",")) == {"redis", "telemetry"}
    assert set(installed.split(",")) <= extras["optional-dependencies"].keys()


def test_the_containers_health_check_asks_the_address_that_it_serves() -> None:
    (check,) = instruction("HEALTHCHECK")
    program, flag, code = json.loads(check.partition("CMD ")[2])
    address = json.loads(instruction("CMD")[-1])[2]
    assert (program, flag) == ("python", "-c")
    assert f"http://127.0.0.1:{address.partition(':')[2]}{HEALTH}live" in code
    compile(code, "health check", "exec")


def test_the_container_writes_its_volume_only_and_its_user_owns_it() -> None:
    (folder,) = instruction("VOLUME")
    user, group = instruction("USER")[-1].split(":")
    assert f"install -d -m 700 -o {user} -g {group} {folder}" in CONTAINERFILE
    assert "PYTHONDONTWRITEBYTECODE=1" in instruction("ENV")[-1]
    assert "--read-only" in (ROOT / "docs" / "deploy.md").read_text("utf-8")
