"""One orderly end, whatever the engine is doing and however it is told."""

from __future__ import annotations

import ctypes
import json
import os
import pty
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from .running_engine import (
    Client,
    RunningEngine,
    UnixConnection,
    chat_body,
    command,
    environment,
    wait_for_socket,
)

ON_TERMINAL = """
import fcntl, os, sys, termios
fcntl.ioctl(0, termios.TIOCSCTTY, 0)
os.execv(sys.argv[1], sys.argv[1:])
"""

STATES = ("idle", "prefill", "decode")
STEP = ("--prefill-step-size", "16")


class Answering(threading.Thread):
    """Brings the engine into a state, and keeps what it said at the end."""

    def __init__(self, client: Client, state: str, endless: dict[str, Any]) -> None:
        super().__init__(daemon=True)
        self._client = client
        self._state = state
        text = "word " * (4000 if state == "prefill" else 1)
        self._body = chat_body(text, **endless)
        self.seen: list[Any] = []

    def run(self) -> None:
        try:
            for frame in self._client.stream(self._body):
                self.seen.append(frame)
        except (OSError, ConnectionError):
            pass

    def reach(self) -> Answering:
        if self._state == "idle":
            return self
        self.start()
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline:
            request = self._client.metrics()["request"]
            if request and request["phase"] == self._state:
                done = "prefill_done" if self._state == "prefill" else "generated_tokens"
                if request[done] > 0:
                    return self
            time.sleep(0.005)
        raise AssertionError(f"never in {self._state}")

    def check(self) -> None:
        """The answer that was cut off must not look like a whole one."""
        if self._state == "idle":
            return
        self.join(5)
        assert not self.is_alive()
        assert "[DONE]" not in self.seen
        last = self.seen[-1]
        assert isinstance(last, dict)
        assert last["error"]["code"] == "cancelled"


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT])
@pytest.mark.parametrize("state", STATES)
def test_a_signal(model: Path, endless: dict[str, Any], state: str, number: int) -> None:
    with RunningEngine(model, *STEP) as engine:
        answering = Answering(engine.client, state, endless).reach()
        began = time.monotonic()
        engine.process.send_signal(number)
        assert engine.wait() == 0, engine.log
        assert time.monotonic() - began < 5
        assert engine.log.rstrip().endswith("headroom-engine: released")
        assert not os.path.exists(engine.path)
        answering.check()


@pytest.mark.parametrize("state", STATES)
def test_the_terminal_hangs_up(model: Path, endless: dict[str, Any], state: str) -> None:
    """As node-pty starts it: a session of its own, on a terminal the app owns."""
    with tempfile.TemporaryDirectory(prefix="hr-") as folder:
        path = str(Path(folder) / "e.sock")
        terminal, inner = pty.openpty()
        own = [sys.executable, "-c", ON_TERMINAL, *command(model, path, *STEP)]
        process = subprocess.Popen(
            own, env=environment(), stdin=inner, stdout=inner, stderr=inner, start_new_session=True
        )
        os.close(inner)
        wait_for_socket(path, process)
        client = Client(path)
        client.wait_for(phase="ready")
        answering = Answering(client, state, endless).reach()
        os.close(terminal)
        assert process.wait(15) == 0
        assert not os.path.exists(path)
        answering.check()


STARTER = """
import os, subprocess, sys
child = subprocess.Popen(sys.argv[2:], start_new_session=True, stdin=subprocess.DEVNULL,
                         stdout=subprocess.DEVNULL, stderr=open(sys.argv[1], "wb"))
print(child.pid, flush=True)
child.wait()
"""


@pytest.fixture
def orphans() -> Iterator[None]:
    """Grandchildren become our children when their parent dies, so that we see how they end."""
    if sys.platform != "linux":
        pytest.skip("only Linux has subreapers")
    subreaper = 36  # PR_SET_CHILD_SUBREAPER
    ctypes.CDLL(None).prctl(subreaper, 1, 0, 0, 0)
    yield
    ctypes.CDLL(None).prctl(subreaper, 0, 0, 0, 0)


@pytest.mark.usefixtures("orphans")
@pytest.mark.parametrize("state", STATES)
def test_the_parent_dies(model: Path, endless: dict[str, Any], state: str) -> None:
    with tempfile.TemporaryDirectory(prefix="hr-") as folder:
        path, log = str(Path(folder) / "e.sock"), Path(folder) / "log"
        arguments = [sys.executable, "-c", STARTER, str(log), *command(model, path, *STEP)]
        parent = subprocess.Popen(arguments, env=environment(), stdout=subprocess.PIPE)
        assert parent.stdout is not None
        pid = int(parent.stdout.readline())
        parent.stdout.close()
        wait_for_socket(path, None)
        client = Client(path)
        client.wait_for(phase="ready")
        answering = Answering(client, state, endless).reach()
        parent.send_signal(signal.SIGKILL)
        parent.wait()
        began = time.monotonic()
        assert ended(pid) == 0
        assert time.monotonic() - began < 5
        assert "parent process is gone" in log.read_text()
        assert log.read_text().rstrip().endswith("headroom-engine: released")
        answering.check()


def ended(pid: int, seconds: float = 15) -> int:
    """The exit code of a child; below zero for a signal."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        found, status = os.waitpid(pid, os.WNOHANG)
        if found:
            return os.waitstatus_to_exitcode(status)
        time.sleep(0.02)
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    raise AssertionError("the engine did not end")


def test_nothing_new_is_begun_while_stopping(model: Path, endless: dict[str, Any]) -> None:
    with RunningEngine(model, *STEP) as engine:
        Answering(engine.client, "decode", endless).reach()
        # Accepted before the stop, asked after it: one token short of being a request.
        connection = UnixConnection(engine.path)
        connection.connect()
        assert connection.sock is not None
        engine.process.send_signal(signal.SIGTERM)
        try:
            connection.request(
                "POST", "/v1/chat/completions", b"{}", {"Authorization": "Bearer " + "t" * 32}
            )
            status = connection.getresponse().status
        except (OSError, ConnectionError):
            status = 503
        assert status in (400, 503)
        assert engine.wait() == 0


def test_events_end_with_stopping(engine_of_its_own: RunningEngine) -> None:
    engine = engine_of_its_own
    connection, response = engine.client.open("GET", "/events")
    response.readline()
    engine.stop()
    rest = response.read().decode()
    connection.close()
    assert '"phase": "stopping"' in rest


def test_gives_the_memory_back(engine_of_its_own: RunningEngine) -> None:
    """Seen from outside: the last snapshot on /events, after the release."""
    engine = engine_of_its_own
    engine.client.chat("hi")
    before = engine.client.metrics()["memory"]["active_bytes"]
    connection, response = engine.client.open("GET", "/events")
    engine.stop()
    datas = [x for x in response.read().decode().splitlines() if x.startswith("data: ")]
    connection.close()
    last = json.loads(datas[-1][6:])
    assert last["phase"] == "stopping"
    assert last["memory"]["active_bytes"] < before / 10
    assert last["prompt_cache"]["sequences"] == 0


@pytest.fixture
def engine_of_its_own(model: Path) -> Iterator[RunningEngine]:
    with RunningEngine(model) as engine:
        yield engine


@pytest.mark.skipif(os.environ.get("HEADROOM_FAULTS") != "full", reason="takes nine seconds")
def test_the_watchdog_ends_what_hangs(copy_model: Callable[..., Path]) -> None:
    """Weights that never arrive: reading a named pipe blocks the generation thread for good."""
    folder = copy_model()
    weights = next(folder.glob("model*.safetensors"))
    weights.unlink()
    os.mkfifo(weights)
    with RunningEngine(folder, wait=False) as engine:
        engine.wait_for_socket()
        engine.client.wait_for(phase="loading")
        engine.process.send_signal(signal.SIGTERM)
        began = time.monotonic()
        assert engine.wait(15) == 75
        assert 7 < time.monotonic() - began < 12
