"""A real engine process, and a plain client for its socket."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

TOKEN = "t" * 32
HERE = Path(__file__).resolve().parent
DEMO_MODEL = HERE.parent / "models" / "headroom-demo"


def model_folder() -> Path:
    return Path(os.environ.get("HEADROOM_TEST_MODEL") or DEMO_MODEL)


def environment(token: str = TOKEN) -> dict[str, str]:
    """What the app gives the engine, and nothing else."""
    own = {
        name: os.environ[name] for name in ("HOME", "PATH", "TMPDIR", "LANG") if name in os.environ
    }
    return own | {
        "HEADROOM_ENGINE_TOKEN": token,
        "HF_HOME": tempfile.gettempdir(),
        "HF_HUB_OFFLINE": "1",
        "TRANSFORMERS_OFFLINE": "1",
        "TOKENIZERS_PARALLELISM": "false",
    }


def command(model: Path | str, path: str, *options: str) -> list[str]:
    start = [sys.executable, "-I", "-m", "headroom_engine"]
    return [*start, "--model", str(model), "--socket", path, *options]


class UnixConnection(http.client.HTTPConnection):
    def __init__(self, path: str, timeout: float = 60) -> None:
        super().__init__("engine", timeout=timeout)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self._path)


class Client:
    def __init__(self, path: str, token: str = TOKEN) -> None:
        self.path = path
        self.timeout = 60.0
        self._headers = {"Authorization": f"Bearer {token}"}

    def send(self, method: str, route: str, body: object) -> UnixConnection:
        """Without waiting for the reply."""
        connection = UnixConnection(self.path)
        connection.request(method, route, json.dumps(body).encode(), self._headers)
        return connection

    def open(
        self, method: str, route: str, body: object = None, headers: dict[str, str] | None = None
    ) -> tuple[UnixConnection, http.client.HTTPResponse]:
        connection = UnixConnection(self.path, self.timeout)
        data = body if isinstance(body, bytes) or body is None else json.dumps(body).encode()
        connection.request(method, route, data, self._headers | (headers or {}))
        return connection, connection.getresponse()

    def json(self, method: str, route: str, body: object = None) -> tuple[int, Any]:
        connection, response = self.open(method, route, body)
        with contextlib.closing(connection):
            return response.status, json.loads(response.read())

    def metrics(self) -> Any:
        status, snapshot = self.json("GET", "/metrics")
        assert status == 200
        return snapshot

    def chat(self, text: str = "hi", **options: Any) -> Any:
        status, reply = self.json("POST", "/v1/chat/completions", chat_body(text, **options))
        assert status == 200, reply
        return reply

    def stream(self, body: dict[str, Any], route: str = "/v1/chat/completions") -> Iterator[Any]:
        """Every data frame as JSON, "[DONE]" and comments (": …") as text."""
        connection, response = self.open("POST", route, {**body, "stream": True})
        with contextlib.closing(connection):
            assert response.status == 200, response.read()
            yield from frames(response)

    def wait_for(self, seconds: float = 20, **wanted: Any) -> Any:
        """The first snapshot whose named values are as wanted."""
        deadline = time.monotonic() + seconds
        while True:
            snapshot = self.metrics()
            if all(snapshot[name] == value for name, value in wanted.items()):
                return snapshot
            assert time.monotonic() < deadline, f"not {wanted} within {seconds} s: {snapshot}"
            time.sleep(0.02)


def frames(response: http.client.HTTPResponse) -> Iterator[Any]:
    while line := response.readline():
        text = line.decode().rstrip("\n")
        if text.startswith("data: {"):
            yield json.loads(text[6:])
        elif text.startswith("data: "):
            yield text[6:]
        elif text.startswith(":"):
            yield text


def chat_body(text: str = "hi", **options: Any) -> dict[str, Any]:
    messages = [{"role": "user", "content": text}]
    return {"messages": messages, "temperature": 0, "date": "2026-01-01", **options}


class RunningEngine:
    """Starts in a private folder of its own. ``stop`` asserts an orderly end."""

    def __init__(self, model: Path | str, *options: str, wait: bool = True) -> None:
        # Not under pytest's folder: a socket path may not be long.
        self._folder = tempfile.TemporaryDirectory(prefix="hr-")
        self.path = str(Path(self._folder.name) / "e.sock")
        self.log_path = Path(self._folder.name) / "log"
        with self.log_path.open("wb") as log:
            self.process = subprocess.Popen(
                command(model, self.path, *options),
                env=environment(),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        self.client = Client(self.path)
        if wait:
            self.wait_for_socket()
            self.client.wait_for(phase="ready")

    def wait_for_socket(self, seconds: float = 20) -> None:
        wait_for_socket(self.path, self.process, seconds)

    @property
    def log(self) -> str:
        return self.log_path.read_text(encoding="utf-8", errors="replace")

    def wait(self, seconds: float = 15) -> int:
        return self.process.wait(seconds)

    def stop(self) -> None:
        self.process.send_signal(signal.SIGTERM)
        code = self.wait()
        assert code == 0, f"exit {code}: {self.log}"

    def __enter__(self) -> RunningEngine:
        return self

    def __exit__(self, *_: object) -> None:
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        self._folder.cleanup()


def listens(path: str) -> bool:
    """The file is there a moment before anybody can connect."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        return probe.connect_ex(path) == 0


def wait_for_socket(
    path: str, process: subprocess.Popen[bytes] | None, seconds: float = 20
) -> None:
    deadline = time.monotonic() + seconds
    while not listens(path):
        assert process is None or process.poll() is None, "the engine ended before it listened"
        assert time.monotonic() < deadline, "no socket"
        time.sleep(0.01)
