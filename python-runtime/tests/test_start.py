"""What the engine refuses to start with, and what it makes of a socket file in its way."""

from __future__ import annotations

import os
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from headroom_engine.errors import Refusal
from headroom_engine.private_socket import LONGEST_PATH_BYTES, PrivateSocket
from headroom_engine.settings import TOKEN_VARIABLE, read_settings

from .running_engine import RunningEngine, command, environment


@pytest.fixture
def folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="hr-") as path:
        yield Path(path)


def start(arguments: list[str], token: str = "t" * 32) -> tuple[int, str]:
    run = subprocess.run(
        arguments, env=environment(token), capture_output=True, text=True, timeout=30, check=False
    )
    return run.returncode, run.stderr


def refused(arguments: list[str], token: str = "t" * 32) -> str:
    """The one line the engine leaves behind."""
    code, errors = start(arguments, token)
    assert code == 64, errors
    assert errors.count("\n") == 1
    assert errors.startswith("headroom-engine: refused: ")
    return errors


def test_needs_a_long_token(folder: Path, model: Path) -> None:
    assert TOKEN_VARIABLE in refused(command(model, str(folder / "s")), token="t" * 31)
    assert TOKEN_VARIABLE in refused(command(model, str(folder / "s")), token="")


def test_needs_a_private_folder(folder: Path, model: Path) -> None:
    folder.chmod(0o750)
    assert "0700" in refused(command(model, str(folder / "s")))


@pytest.mark.parametrize(
    "options", [["--what"], ["--prefill-step-size", "0"], ["--residency", "some"]]
)
def test_refuses_arguments_it_does_not_know(folder: Path, model: Path, options: list[str]) -> None:
    refused(command(model, str(folder / "s"), *options))


def test_removes_the_token_from_the_environment() -> None:
    variables = {TOKEN_VARIABLE: "t" * 32, "HOME": "/"}
    settings = read_settings(["--model", "/m", "--socket", "/s"], variables)
    assert settings.token == "t" * 32
    assert variables == {"HOME": "/"}


@pytest.mark.parametrize("which", ["--model", "--socket"])
def test_wants_absolute_paths(which: str) -> None:
    paths = {"--model": "/m", "--socket": "/s"} | {which: "here"}
    with pytest.raises(Refusal, match="absolute"):
        read_settings([x for pair in paths.items() for x in pair], {TOKEN_VARIABLE: "t" * 32})


def test_a_path_may_not_be_too_long(folder: Path) -> None:
    with pytest.raises(Refusal, match="bytes"):
        PrivateSocket(str(folder / ("x" * LONGEST_PATH_BYTES)))
    longest = str(folder / "x")
    longest += "é" * ((LONGEST_PATH_BYTES - len(os.fsencode(longest))) // 2)
    PrivateSocket(longest).close()
    with pytest.raises(Refusal, match="bytes"):
        PrivateSocket(longest + "éé")


def test_a_missing_folder_and_a_file_for_a_folder(folder: Path) -> None:
    with pytest.raises(Refusal, match="cannot be read"):
        PrivateSocket(str(folder / "none" / "s"))
    (folder / "file").touch()
    with pytest.raises(Refusal, match="not a folder"):
        PrivateSocket(str(folder / "file" / "s"))
    (folder / "link").symlink_to(folder)
    with pytest.raises(Refusal, match="not a folder"):
        PrivateSocket(str(folder / "link" / "s"))


def test_replaces_a_stale_socket_but_no_other_file(folder: Path) -> None:
    path = folder / "s"
    left = socket.socket(socket.AF_UNIX)
    left.bind(str(path))
    left.close()
    PrivateSocket(str(path)).close()
    assert not path.exists()
    path.write_text("mine")
    with pytest.raises(Refusal, match="not a socket"):
        PrivateSocket(str(path))
    assert path.read_text() == "mine"


def test_leaves_the_socket_of_another_engine_alone(folder: Path) -> None:
    first = PrivateSocket(str(folder / "s"))
    os.rename(folder / "s", folder / "old")
    second = PrivateSocket(str(folder / "s"))
    first.close()
    assert (folder / "s").is_socket()
    second.close()
    assert not (folder / "s").exists()


def test_a_live_socket_is_refused(engine: RunningEngine, model: Path) -> None:
    code, errors = start(command(model, engine.path))
    assert code == 65
    assert "another engine" in errors
    assert engine.client.metrics()["phase"] == "ready"


def test_is_there_before_the_model_is(folder: Path, model: Path) -> None:
    with RunningEngine(model, wait=False) as engine:
        engine.wait_for_socket()
        assert engine.client.metrics()["phase"] in ("starting", "loading", "ready")
        engine.client.wait_for(phase="ready")
        engine.stop()
