import json
from collections.abc import Iterator
from pathlib import Path

import pytest
import typer

from sealmesh.cli import main
from sealmesh.cli.app import app
from sealmesh.cli.output import Output
from sealmesh.errors.cli import UsageError


def test_version_is_printed(capsys) -> None:
    assert main(["version"]) == 0
    assert capsys.readouterr().out.startswith("sealmesh 0.")


def test_version_as_json(capsys) -> None:
    assert main(["version", "--json"]) == 0
    assert "python" in json.loads(capsys.readouterr().out)


@pytest.mark.parametrize(
    "words", [[], ["manifest"], ["manifest", "update"], ["recover-with-signature"], ["help"]]
)
def test_without_a_command_the_help_is_shown(capsys, words: list[str]) -> None:
    assert main(words) == 0
    out, err = capsys.readouterr()
    assert "Commands" in out
    assert err == ""


def test_an_unknown_command_ends_with_1_and_says_where_to_look(capsys) -> None:
    assert main(["nonsense"]) == 1
    out, err = capsys.readouterr()
    assert out == ""
    assert "No such command 'nonsense'" in err
    assert "sealmesh --help" in err


def test_a_missing_argument_ends_with_1_and_prints_the_usage(capsys) -> None:
    assert main(["manifest", "get"]) == 1
    out, err = capsys.readouterr()
    assert out.startswith("Usage: sealmesh manifest get")
    assert "error [usage]" in err


def test_wrong_usage_as_json_is_one_document(capsys) -> None:
    assert main(["manifest", "get", "--json"]) == 1
    assert json.loads(capsys.readouterr().out)["error"]["code"] == "usage"


def test_an_error_names_code_cause_and_remedy(capsys) -> None:
    assert main(["manifest", "get", "127.0.0.1:1", "--coordinator-cert", "/nowhere/chain.pem"]) == 1
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("error [file]: cannot read the file")
    assert "found:  /nowhere/chain.pem" in err


def test_options_after_a_double_dash_are_the_programs_own(capsys, monkeypatch, tmp_path) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    assert main(["nonsense", "--", "--json"]) == 1
    assert capsys.readouterr().out == ""


def test_nothing_that_says_whom_to_trust_is_refused_before_connecting(capsys, monkeypatch, tmp_path) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    assert main(["manifest", "get", "127.0.0.1:1"]) == 1
    assert "error [trust-missing]" in capsys.readouterr().err


@pytest.mark.parametrize(
    "options",
    [
        ["--policy", "p", "--insecure"],
        ["--era-config", "e", "--insecure"],
        ["--policy", "p", "--era-config", "e"],
    ],
)
def test_trust_options_that_exclude_each_other_are_refused(capsys, options: list[str]) -> None:
    assert main(["status", "127.0.0.1:1", *options]) == 1
    assert "exclude each other" in capsys.readouterr().err


def test_nobody_there_ends_with_1_and_an_empty_stdout(capsys) -> None:
    assert main(["status", "127.0.0.1:1", "--insecure"]) == 1
    out, err = capsys.readouterr()
    assert out == ""
    assert "error [connection]" in err


def commands(tree, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    for name, command in tree.commands.items():
        if hasattr(command, "commands"):
            yield from commands(command, (*path, name))
        elif not command.hidden:
            yield (*path, name)


PAGE = Path(__file__).parents[3] / "docs" / "reference" / "cli.md"
COMMANDS = sorted(commands(typer.main.get_command(app)))


def test_every_command_of_marbleruns_client_is_there_but_for_installing() -> None:
    wanted = {
        *("status", "recover", "package-info", "version", "check", "precheck"),
        *(f"manifest {name}" for name in ("get", "log", "set", "signature", "verify")),
        *(f"manifest update {name}" for name in ("acknowledge", "apply", "cancel", "get")),
        *(f"certificate {name}" for name in ("root", "intermediate", "chain")),
        *(f"secret {name}" for name in ("get", "set")),
        *(f"recover-with-signature {name}" for name in ("encrypt-secret", "public-key", "sign-secret")),
    }
    assert wanted <= {" ".join(command) for command in COMMANDS}


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_every_command_is_on_the_reference_page(command: tuple[str, ...]) -> None:
    assert f"`{' '.join(command)}" in PAGE.read_text()


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_every_command_has_help_with_an_example_and_json(capsys, command: tuple[str, ...]) -> None:
    assert main([*command, "--help"]) == 0
    text = capsys.readouterr().out
    assert "Example" in text
    assert "sealmesh " + " ".join(command) in text
    assert "--json" in text


@pytest.mark.parametrize(
    ("words", "position", "wanted"),
    [("sealmesh cert", 1, {"certificate"}), ("sealmesh manifest update a", 3, {"apply", "acknowledge"})],
)
def test_the_shell_completes_commands(
    capsys, monkeypatch, words: str, position: int, wanted: set[str]
) -> None:
    monkeypatch.setenv("_SEALMESH_COMPLETE", "complete_bash")
    monkeypatch.setenv("COMP_WORDS", words)
    monkeypatch.setenv("COMP_CWORD", str(position))
    with pytest.raises(SystemExit):
        main([])
    assert set(capsys.readouterr().out.split()) == wanted


def test_what_could_steer_a_terminal_is_not_printed(capsys) -> None:
    error = UsageError("a \x1b[2Jclean\rscreen", found="\x07bell", wanted="näive ✓")
    Output(as_json=False).failure(error)
    err = capsys.readouterr().err
    assert not set("\x1b\r\x07") & set(err)
    assert "näive ✓" in err
