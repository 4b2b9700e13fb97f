from pathlib import Path

import pytest

from atoms_campaigns_mcp.cli.install import CLIENT_NAMES
from atoms_campaigns_mcp.cli.install.clients import CLIENTS
from atoms_campaigns_mcp.errors import ConfigurationError
from tests.support.machine import PLATFORMS, machine_in

DATA = {
    "linux": ".config",
    "darwin": "Library/Application Support",
    "win32": "AppData/Roaming",
}
PACKAGES = "AppData/Local/Packages"
DESKTOP = "Claude/claude_desktop_config.json"


def place(client: str, home: Path, platform: str = "linux", **environ: str) -> str:
    path = CLIENTS[client].file(machine_in(home, platform, **environ))
    return path.relative_to(home).as_posix()


def test_the_command_line_offers_every_client() -> None:
    assert tuple(CLIENTS) == CLIENT_NAMES


@pytest.mark.parametrize("platform", PLATFORMS)
def test_desktop_programs_keep_their_files_where_the_system_has_such_things(
    platform: str, tmp_path: Path
) -> None:
    assert place("claude-desktop", tmp_path, platform) == f"{DATA[platform]}/{DESKTOP}"
    assert place("vscode", tmp_path, platform) == f"{DATA[platform]}/Code/User/mcp.json"


@pytest.mark.parametrize("platform", PLATFORMS)
def test_the_others_keep_them_in_the_home_folder_on_every_system(
    platform: str, tmp_path: Path
) -> None:
    assert place("claude-code", tmp_path, platform) == ".claude.json"
    assert place("cursor", tmp_path, platform) == ".cursor/mcp.json"
    assert place("codex", tmp_path, platform) == ".codex/config.toml"
    assert place("gemini", tmp_path, platform) == ".gemini/settings.json"


@pytest.mark.parametrize(
    ("client", "variable", "found"),
    [
        ("claude-code", "CLAUDE_CONFIG_DIR", "elsewhere/.claude.json"),
        ("codex", "CODEX_HOME", "elsewhere/config.toml"),
        ("gemini", "GEMINI_CLI_HOME", "elsewhere/.gemini/settings.json"),
        ("claude-desktop", "XDG_CONFIG_HOME", f"elsewhere/{DESKTOP}"),
        ("vscode", "XDG_CONFIG_HOME", "elsewhere/Code/User/mcp.json"),
    ],
)
def test_a_variable_that_moves_a_clients_file_is_followed(
    client: str, variable: str, found: str, tmp_path: Path
) -> None:
    assert place(client, tmp_path, **{variable: str(tmp_path / "elsewhere")}) == found


def test_windows_tells_where_its_folders_are(tmp_path: Path) -> None:
    roaming = str(tmp_path / "Profile")
    assert place("vscode", tmp_path, "win32", APPDATA=roaming) == "Profile/Code/User/mcp.json"


def test_the_packaged_claude_desktop_reads_its_own_copy_of_appdata(tmp_path: Path) -> None:
    package = tmp_path / PACKAGES / "Claude_abc123"
    package.mkdir(parents=True)
    found = f"{PACKAGES}/Claude_abc123/LocalCache/Roaming/{DESKTOP}"
    assert place("claude-desktop", tmp_path, "win32") == found


def test_of_several_packages_the_one_in_use_is_meant(tmp_path: Path) -> None:
    for name in ("Claude_old", "Claude_new"):
        (tmp_path / PACKAGES / name).mkdir(parents=True)
    with pytest.raises(ConfigurationError, match="several packages"):
        place("claude-desktop", tmp_path, "win32")
    used = tmp_path / PACKAGES / "Claude_new/LocalCache/Roaming" / DESKTOP
    used.parent.mkdir(parents=True)
    used.write_text("{}")
    assert place("claude-desktop", tmp_path, "win32") == used.relative_to(tmp_path).as_posix()
