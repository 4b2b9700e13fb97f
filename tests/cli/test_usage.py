"""Words that are not right: one line that says what to do, exit status 2, and nothing is echoed."""

import os
import sys
from pathlib import Path

import pytest

from atoms_campaigns_mcp.cli.start import main
from tests.support.process import environment

SECRET = "sk_live_0123456789abcdef"
REFUSED = {
    "sandbox --port 22222222": "--port: must be a whole number from 0 to 65535.",
    "sandbox --port -1": "--port",
    "sandbox --port x": "--port: must be a whole number from 0 to 65535.",
    "sandbox --speed fast": "--speed: must be a number above 0, or max.",
    "sandbox --speed 0": "--speed: must be a number above 0, or max.",
    "sandbox --speed nan": "--speed: must be a number above 0, or max.",
    "sandbox --seed 1.5": "--seed: must be a whole number.",
    "sandbox resett": "Did you mean reset?",
    "serve --http 127.0.0.1:99999": "a port from 0 to 65535",
    "serve --http nonsense": "--http wants HOST:PORT",
    "serve --sandbox-speed fast": "ATOMS_MCP_SANDBOX_SPEED must be a number above 0, or max.",
    "serve --max-contacts many": "ATOMS_MCP_MAX_CONTACTS must be a whole number from 1.",
    "serve --auth nonne": "Did you mean none?",
    "serve --confirm aks": "Did you mean ask?",
    "journal --limit 0": "--limit: must be a whole number from 1.",
    "journal --since yesterday": "--since is no time.",
    "journal --json --csv": "not allowed with argument --json",
    "install cursr": "Did you mean cursor?",
    "watsh 696ddd2a04ff172dbd8eddad": "Did you mean watch?",
    "call": "required: TOOL.",
    "call list_agent": "Did you mean list_agents?",
    "call list_agents limit": "number 1 is not",
    "call list_agents limit=5 =3": "number 2 is not",
    "call list_agents --max-contact 5": "Did you mean --max-contacts?",
    f"call list_agents --api-key={SECRET}": "--api-key is no option here.",
    "tools list_agent": "Did you mean list_agents?",
    "watch": "required: ID.",
    "watch one two": "words too many (1)",
}


@pytest.mark.parametrize("line", REFUSED)
def test_what_is_not_right_is_refused_with_what_to_do(
    line: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    for name in set(os.environ) - set(environment(tmp_path)):
        monkeypatch.delenv(name)
    monkeypatch.setenv("ATOMS_MCP_STATE", str(tmp_path))
    with pytest.raises(SystemExit) as ended:
        main(line.split())
    out, err = capsys.readouterr()
    assert (ended.value.code, out) == (2, "")
    assert err.startswith("atoms-campaigns-mcp: ")
    assert len(err.splitlines()) == 1
    assert REFUSED[line] in err
    assert SECRET not in err


def test_arguments_of_a_call_may_stand_behind_its_options(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("ATOMS_MCP_STATE", str(tmp_path))
    monkeypatch.setattr(sys.stdin, "isatty", lambda: False)
    with pytest.raises(SystemExit) as ended:
        main(["call", "list_agents", "--json", "limit=1"])
    assert ended.value.code == 0
    assert '"has_more": true' in capsys.readouterr().out


@pytest.mark.skipif(sys.platform == "win32", reason="Windows keeps homes elsewhere")
@pytest.mark.parametrize(
    "line",
    ["journal", "sandbox reset", "watch Renewals", "call list_agents", "doctor", "install"],
)
def test_without_a_home_it_is_said_what_to_set(
    line: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    def nobody(_: int) -> None:
        raise KeyError

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("pwd.getpwuid", nobody)
    for name in ("HOME", "XDG_STATE_HOME", "ATOMS_MCP_STATE"):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(SystemExit) as ended:
        main(line.split())
    out, err = capsys.readouterr()
    assert ended.value.code in {1, 2}
    assert "home folder is not known" in err
    assert "Set HOME" in err
    assert "Traceback" not in err + out
    assert not list(tmp_path.iterdir())  # no folder named ~


@pytest.mark.parametrize("line", ["journal", "sandbox reset", "sandbox --port 0"])
def test_a_state_folder_that_is_a_file_is_said_to_be_none(
    line: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    file = tmp_path / "notes.txt"
    file.write_text("precious", "utf-8")
    monkeypatch.setenv("ATOMS_MCP_STATE", str(file))
    with pytest.raises(SystemExit) as ended:
        main(line.split())
    err = capsys.readouterr().err
    assert ended.value.code == 2
    assert "Not a directory" in err
    assert file.read_text("utf-8") == "precious"
