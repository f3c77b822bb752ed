"""HTTP on the private socket. One connection, one request; closing it cancels the answer."""

from __future__ import annotations

import contextlib
import hmac
import json
import queue
import select
import socket
import sys
import threading
import time
import traceback
import uuid
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Final

from .errors import ApiError, bad_request
from .generation import Generation
from .job import Calibration, Done, Errand, Event, Failed, Finished, Generated, Job, Reading, Work
from .log import log
from .monitor import Monitor
from .prepare import chat_job, completion_job, count_tokens, history_tokens
from .private_socket import PrivateSocket
from .replies import StreamedReply, WholeReply, error_body, merged
from .request import Body, read_cache_key, read_flag, read_name, read_prefill_step, wants_usage
from .settings import Settings
from .tokenizer import ChatTokenizer

LARGEST_BODY_BYTES: Final = 16 * 2**20
# Between two looks at whether the client is still there.
LOOK_SECONDS: Final = 0.1
EVENTS_PER_SECOND: Final = 10
BUSY_EVENT_SECONDS: Final = 1.0
IDLE_COMMENT_SECONDS: Final = 5.0
# One picture of a fast screen. What is generated within it goes out together: with a small model,
# waking everybody on the way for every token would take more time than the token.
PICTURE_SECONDS: Final = 0.008
STALLED_CLIENT_SECONDS: Final = 30.0
TOKENIZER_WAIT_SECONDS: Final = 20.0


class Transport:
    def __init__(
        self,
        settings: Settings,
        listener: PrivateSocket,
        monitor: Monitor,
        generation: Generation,
    ) -> None:
        self._listener = listener
        self._server = _Server(listener, settings, monitor, generation)
        self._thread = threading.Thread(
            target=self._server.serve_forever, name="transport", daemon=True
        )

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """No new connections; open ones get a moment to send what they have."""
        self._server.closing.set()
        self._server.shutdown()
        self._listener.close()
        self._server.wait_for_handlers(seconds=2.0)


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False

    def __init__(
        self,
        listener: PrivateSocket,
        settings: Settings,
        monitor: Monitor,
        generation: Generation,
    ) -> None:
        super().__init__(("", 0), _Handler, bind_and_activate=False)
        self.socket.close()
        self.socket = listener.socket
        self.settings = settings
        self.monitor = monitor
        self.generation = generation
        self.closing = threading.Event()
        self._handlers = 0
        self._handlers_changed = threading.Condition()

    def get_request(self) -> tuple[socket.socket, tuple[str, int]]:
        connection, _ = self.socket.accept()
        return connection, ("local", 0)

    def process_request_thread(self, request: Any, client_address: Any) -> None:  # noqa: ANN401
        with self._handlers_changed:
            self._handlers += 1
        try:
            super().process_request_thread(request, client_address)
        finally:
            with self._handlers_changed:
                self._handlers -= 1
                self._handlers_changed.notify_all()

    def wait_for_handlers(self, seconds: float) -> None:
        with self._handlers_changed:
            self._handlers_changed.wait_for(lambda: self._handlers == 0, seconds)

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that went away is not news. Anything else is named, without its data."""
        error = sys.exception()
        if not isinstance(error, OSError):
            _log_unexpected(error)


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    protocol_version = "HTTP/1.1"
    server_version = "headroom-engine"
    sys_version = ""
    timeout = STALLED_CLIENT_SECONDS
    _unread = 0

    def do_GET(self) -> None:
        self._handle({"/health": self._health, "/metrics": self._metrics, "/events": self._events})

    def do_POST(self) -> None:
        self._handle(
            {
                "/count": self._count,
                "/drop-cache": self._drop_cache,
                "/answer-now": self._answer_now,
                "/prefill": self._prefill,
                "/calibrate": self._calibrate,
                "/cache/save": self._save_cache,
                "/cache/load": self._load_cache,
                "/cache/forget": self._forget_cache,
                "/v1/chat/completions": self._chat,
                "/v1/completions": self._completion,
            }
        )

    # Routes.

    def _health(self) -> None:
        phase = self.server.monitor.phase
        if phase not in ("ready", "busy"):
            raise ApiError(503, phase, f"the engine is {phase}")
        self._send_json(200, {"status": "ok"})

    def _metrics(self) -> None:
        self._send_json(200, self.server.monitor.snapshot())

    def _events(self) -> None:
        monitor = self.server.monitor
        self._begin_stream()
        seen, sent_at, wrote_at = -1, 0.0, 0.0
        while not self._client_gone():
            closing = self.server.closing.is_set()
            version = monitor.wait_for_change(seen, 0 if closing else 0.5)
            now = time.monotonic()
            snapshot = monitor.snapshot()
            busy = snapshot["request"] is not None and now - sent_at >= BUSY_EVENT_SECONDS
            if version != seen or busy:
                text = json.dumps(snapshot, ensure_ascii=False)
                self.wfile.write(f"event: metrics\ndata: {text}\n\n".encode())
                seen, sent_at, wrote_at = version, now, now
            elif now - wrote_at >= IDLE_COMMENT_SECONDS:
                self.wfile.write(b": idle\n\n")
                wrote_at = now
            if closing:
                return
            self.server.closing.wait(1 / EVENTS_PER_SECOND)

    def _count(self) -> None:
        body = self._read_body()
        generation = self.server.generation
        generation.wait_for_tokenizer(TOKENIZER_WAIT_SECONDS)
        if generation.tokenizer is None:
            raise ApiError(503, self._phase_or("loading"), "the tokenizer is not loaded")
        self._send_json(200, {"tokens": count_tokens(body, generation.tokenizer)})

    def _drop_cache(self) -> None:
        """Only begins it: the metrics tell when it is done."""
        if self.server.monitor.phase not in ("ready", "busy"):
            raise ApiError(503, self._phase_or("loading"), "the model is not loaded")
        self.server.generation.drop_caches()
        self._send_json(200, {"status": "ok"})

    def _answer_now(self) -> None:
        id = self._read_body().get("id")
        if not isinstance(id, str) or not self.server.generation.answer_now(id):
            raise ApiError(404, "not_found", "there is no such answer under way")
        self._send_json(200, {"status": "ok"})

    def _prefill(self) -> None:
        """Reads what the conversation's next prompt will begin with. Anything else that is asked
        breaks it off."""
        body = self._read_body()
        tokenizer = self._tokenizer()
        assert self.server.generation.folder is not None
        tokens = history_tokens(body, tokenizer, self.server.generation.folder)
        key = read_cache_key(body)
        self._send_json(200, self._done(Reading(_new_id(), self._client_gone, tokens, key)))

    def _calibrate(self) -> None:
        """What reading a prompt in steps takes here. Anything else that is asked breaks it off."""
        step = read_prefill_step(self._read_body()) or self.server.settings.prefill_step_size
        self._tokenizer()
        self._send_json(200, self._done(Calibration(_new_id(), self._client_gone, step)))

    def _save_cache(self) -> None:
        body = self._read_body()
        file, key = read_name(body, "file"), read_name(body, "key")
        generation = self.server.generation
        # Who goes away has no more time for it.
        self._errand(
            lambda work: generation.save_cache(file, key, work.cancelled.is_set), self._client_gone
        )

    def _load_cache(self) -> None:
        body = self._read_body()
        file, key, sha256 = (read_name(body, name) for name in ("file", "key", "sha256"))
        self._errand(lambda _: self.server.generation.load_cache(file, key, sha256))

    def _forget_cache(self) -> None:
        key = read_name(self._read_body(), "key")
        self._errand(lambda _: self.server.generation.forget_cache(key))

    def _errand(
        self,
        run: Callable[[Errand], dict[str, Any]],
        is_abandoned: Callable[[], bool] = lambda: False,
    ) -> None:
        """Begun, it is finished, also for a client that has gone away, unless it asks."""
        self._send_json(200, self._done(Errand(_new_id(), is_abandoned, run)))

    def _done(self, work: Work) -> dict[str, Any]:
        self.server.generation.submit(work)
        try:
            while (events := self._next_events(work)) is not None:
                for event in events:
                    match event:
                        case Done(value):
                            return value
                        case Failed(error):
                            raise error
            raise ApiError(499, "cancelled", "the client is gone")
        finally:
            work.cancelled.set()

    def _tokenizer(self) -> ChatTokenizer:
        generation, phase = self.server.generation, self.server.monitor.phase
        if generation.tokenizer is None or generation.folder is None or phase in _NOT_READY:
            raise ApiError(503, self._phase_or("loading"), f"the engine is {phase}")
        return generation.tokenizer

    def _chat(self) -> None:
        self._generate(chat=True)

    def _completion(self) -> None:
        self._generate(chat=False)

    def _generate(self, *, chat: bool) -> None:
        body = self._read_body()
        generation = self.server.generation
        tokenizer = self._tokenizer()
        assert generation.folder is not None
        streamed = read_flag(body, "stream")
        include_usage = wants_usage(body)
        name = generation.folder.path.name
        reply = (
            StreamedReply(name, chat, tokenizer.token_bytes, include_usage=include_usage)
            if streamed
            else WholeReply(name, chat, tokenizer.token_bytes)
        )
        make = chat_job if chat else completion_job
        job = make(
            reply.id,
            body,
            tokenizer,
            generation.folder,
            self.server.settings.max_tokens_default,
            self._client_gone,
        )
        generation.submit(job)
        try:
            if isinstance(reply, StreamedReply):
                self._stream(job, reply)
            else:
                self._send_whole(job, reply)
        finally:
            # Nothing happens to an answer that has ended; any other one has lost its reader.
            job.cancelled.set()

    def _stream(self, job: Job, reply: StreamedReply) -> None:
        self._begin_stream()
        self.wfile.write(reply.opening())
        wrote_at = time.monotonic()
        while (events := self._next_events(job)) is not None:
            if events:
                self.wfile.write(b"".join(reply.frames(event) for event in merged(events)))
                wrote_at = time.monotonic()
                if isinstance(events[-1], Finished | Failed):
                    return
                if isinstance(events[-1], Generated):
                    job.over.wait(PICTURE_SECONDS)
            elif time.monotonic() - wrote_at >= IDLE_COMMENT_SECONDS:
                self.wfile.write(b": idle\n\n")
                wrote_at = time.monotonic()

    def _send_whole(self, job: Job, reply: WholeReply) -> None:
        while (events := self._next_events(job)) is not None:
            for event in events:
                match event:
                    case Generated(deltas, chances):
                        reply.add(deltas, chances)
                    case Finished():
                        self._send_json(200, reply.body(event))
                        return
                    case Failed(error):
                        raise error

    def _next_events(self, job: Work) -> list[Event] | None:
        """Everything that has happened since, maybe nothing yet. None: the client is gone."""
        if self._client_gone():
            return None
        events: list[Event] = []
        with contextlib.suppress(queue.Empty):
            events.append(job.events.get(timeout=LOOK_SECONDS))
            while True:
                events.append(job.events.get_nowait())
        return events

    # The frame around them.

    def _handle(self, routes: dict[str, Callable[[], None]]) -> None:
        self.close_connection = True
        self._began_stream = False
        self._unread = self._content_length() or 0
        try:
            self._check_token()
            path = self.path.partition("?")[0]
            route = routes.get(path)
            if route is None:
                raise ApiError(404, "not_found", f"there is no {self.command} {path[:80]}")
            route()
        except ApiError as error:
            self._send_error(error)
        except OSError:
            raise  # The connection itself.
        except Exception as error:
            _log_unexpected(error)
            self._send_error(ApiError(500, "internal", "the engine made a mistake; see its log"))

    def _check_token(self) -> None:
        given = self.headers.get("Authorization", "").encode()
        wanted = f"Bearer {self.server.settings.token}".encode()
        if not hmac.compare_digest(given, wanted):
            raise ApiError(401, "unauthorized", "the engine's token is missing or wrong")

    def _content_length(self) -> int | None:
        text = self.headers.get("Content-Length", "")
        return int(text) if text.isascii() and text.isdecimal() else None

    def _read_body(self) -> Body:
        length = self._content_length()
        if length is None:
            raise ApiError(411, "length_required", "Content-Length is missing")
        if length > LARGEST_BODY_BYTES:
            raise ApiError(413, "too_large", f"a body may have {LARGEST_BODY_BYTES} bytes")
        raw = self.rfile.read(length)
        self._unread = 0
        try:
            body = json.loads(raw)
        except (ValueError, RecursionError) as error:
            raise bad_request("the body is not JSON") from error
        if not isinstance(body, dict):
            raise bad_request("the body must be a JSON object")
        return body

    def _client_gone(self) -> bool:
        """Whether the other side has closed. Never blocks, never takes data away."""
        try:
            readable, _, _ = select.select([self.connection], [], [], 0)
            return bool(readable) and self.connection.recv(1, socket.MSG_PEEK) == b""
        except (OSError, ValueError):
            return True

    def _phase_or(self, otherwise: str) -> str:
        phase = self.server.monitor.phase
        return phase if phase in ("failed", "stopping") else otherwise

    def _begin_stream(self) -> None:
        self._began_stream = True
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream; charset=utf-8")
        self.send_header("Cache-Control", "no-store")
        self.send_header("Connection", "close")
        self.end_headers()

    def _send_error(self, error: ApiError) -> None:
        if self._began_stream:
            self.wfile.write(
                b"data: " + json.dumps(error_body(error.code, error.message)).encode() + b"\n\n"
            )
        else:
            self._send_json(error.status, error_body(error.code, error.message))

    def _send_json(self, status: int, body: object) -> None:
        payload = json.dumps(body, ensure_ascii=False).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json; charset=utf-8")
        self.send_header("Content-Length", str(len(payload)))
        self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(payload)
        self._drain()

    def _drain(self) -> None:
        """Reads what was not read. Closing a Unix socket with unread data in it takes the reply
        away from the client."""
        unmeasured = "Transfer-Encoding" in (getattr(self, "headers", None) or ())
        left = 4 * LARGEST_BODY_BYTES if unmeasured else min(self._unread, 4 * LARGEST_BODY_BYTES)
        with contextlib.suppress(OSError):
            self.connection.settimeout(0.2 if unmeasured else 1)
            while left > 0 and (piece := self.rfile.read1(min(left, 65536))):
                left -= len(piece)

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:
        """Requests that are not even HTTP."""
        self.close_connection = True
        self._send_json(int(code), error_body("bad_http", message or "the request is not HTTP"))

    def log_message(self, format: str, *args: object) -> None:
        """No access log: the app is the only client."""


_NOT_READY: Final = ("starting", "loading", "stopping", "failed")


def _new_id() -> str:
    return f"work-{uuid.uuid4().hex}"


def _log_unexpected(error: BaseException | None) -> None:
    """Type and place only: a message or a value could carry chat text into the log."""
    if error is None:
        return
    frames = traceback.extract_tb(error.__traceback__)
    place = f"{frames[-1].name} ({frames[-1].filename}:{frames[-1].lineno})" if frames else "?"
    log(f"unexpected {type(error).__name__} in {place}")
