"""The embedded Spark engine: a Spark Connect server by Sail in this process, behind a Unix socket.

Whoever reaches a Spark Connect server can run code as its user, and Sail asks nobody who they are: on a port, every
user of the machine could. So one connection is made to it, its port is closed for good, and requests come over a
socket that only its owner may open, byte for byte as PySpark made them.
"""

from __future__ import annotations

import ctypes
import os
import socket
import stat
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Executor, Future
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar, cast

import grpc
import psutil

from event_assets.embedded.ports import accepts
from event_assets.embedded.service import StackError

if TYPE_CHECKING:
    from pyspark.sql import SparkSession
    from pyspark.sql.connect.client.retries import RetryPolicy

T = TypeVar("T")
SOCKET_SCHEME = "unix:"
MOST_REQUESTS = 256
"""Requests at once; each that is being answered takes a thread."""

_STACK_BYTES = 64 * 1024 * 1024
_CACHES = {"FILE_METADATA_CACHE__SIZE_LIMIT": 64_000_000, "FILE_STATISTICS_CACHE__MAX_ENTRIES": 1_000}
"""What it keeps of files that were read: by itself all footers of half an hour, 140 KB of a file as wide as events."""
_PR_SET_THP_DISABLE = 41
_NO_LIMIT = -1
_NEVER_MS = 2**31 - 1
_OPTIONS = [
    ("grpc.max_send_message_length", _NO_LIMIT),
    ("grpc.max_receive_message_length", _NO_LIMIT),
    ("grpc.client_idle_timeout_ms", _NEVER_MS),
    ("grpc.use_local_subchannel_pool", 1),
    ("grpc.enable_http_proxy", 0),
]
_READY_SECONDS = 30.0
_RETRIES_OF_A_SOCKET = 4
_RETRIES_OF_A_NETWORK = 6
"""After 50 ms, and four times as long each time: four seconds in all, and a minute."""

_UNREADABLE = "Exception deserializing response!"


class Engine:
    """An engine that is not started yet. `environment` is what it must find there to reach the lake, `log` the least
    level that it logs, `path` its socket, in a folder that only its owner may enter.

    Variables that are set already stay as they are, but for those of the lake.
    """

    def __init__(
        self,
        environment: Mapping[str, str],
        log: str,
        path: Path,
        on_lost: Callable[[], None] = lambda: None,
    ) -> None:
        os.environ.update(environment)
        os.environ.setdefault("RUST_LOG", log)
        # Its allocator keeps what was freed; over thousands of files that is gigabytes. Giving it back costs 5 to 14 %.
        os.environ.setdefault("MIMALLOC_PURGE_DELAY", "0")
        # With its own 2 MiB a plan that is some hundred steps deep ends the process by SIGSEGV, without a word.
        os.environ.setdefault("SAIL_RUNTIME__STACK_SIZE", str(_STACK_BYTES))
        for name, most in _CACHES.items():
            os.environ.setdefault(f"SAIL_PARQUET__{name}", str(most))
        _use_small_pages()
        from pysail.spark import SparkConnectServer

        self.path = path
        self.lost = threading.Event()
        """Set when the engine cannot be reached any more: another must be started. Then `on_lost` is called too."""
        self._on_lost = on_lost
        self._sail = SparkConnectServer(ip="127.0.0.1", port=0)
        self._channel: grpc.Channel | None = None
        self._was_ready = False
        self._door: grpc.Server | None = None

    @property
    def remote(self) -> str:
        """How `connect` finds the engine."""
        return f"{SOCKET_SCHEME}{self.path}"

    @property
    def sail_address(self) -> tuple[str, int]:
        """Where the server listened until it was closed."""
        address: tuple[str, int] = self._sail.listening_address
        return address

    def start(self) -> None:
        """Returns when the engine answers on its socket. Raises `StackError`."""
        self._sail.start(background=True)
        _, port = self.sail_address
        self._channel = grpc.insecure_channel(f"127.0.0.1:{port}", options=_OPTIONS)
        grpc.channel_ready_future(self._channel).result(_READY_SECONDS)
        self._channel.subscribe(self._note_state)
        _close_port(port)
        forwarding = _Forwarding(self._channel, self.lost)
        self._door = grpc.server(_Threads(), [forwarding], options=_OPTIONS, maximum_concurrent_rpcs=MOST_REQUESTS)
        mask = os.umask(0o177)
        try:
            self._door.add_insecure_port(self.remote)
        except RuntimeError as fault:
            raise StackError(f"The Spark engine cannot listen on {self.path}: {fault}") from fault
        finally:
            os.umask(mask)
        self._door.start()

    def stop(self) -> None:
        """End the engine; requests that are being answered fail."""
        self.lost.set()
        if self._door is not None:
            self._door.stop(None).wait()
        self._sail.stop()
        if self._channel is not None:
            # After the server: closing waits for gRPC's watch over the connection, whose pause ends by the clock of the
            # day. That may have been set back since; a connection that ends wakes it at once.
            self._channel.close()
        self.path.unlink(missing_ok=True)

    def _note_state(self, state: grpc.ChannelConnectivity) -> None:
        if state is grpc.ChannelConnectivity.READY:
            self._was_ready = True
        elif self._was_ready and not self.lost.is_set():
            self.lost.set()
            self._on_lost()


def connect(remote: str) -> SparkSession:
    """A new session with the engine at `unix:/path`, or with the Spark Connect server at `sc://host:port`.

    What fails on the way is asked for again for some seconds, over the network for a minute, and not for PySpark's own
    ten: an engine that was started again knows nothing of the session.
    """
    from pyspark.sql.connect.session import SparkSession as ConnectSession

    # What PySpark's own builder does: without it, functions would look for a JVM.
    os.environ["SPARK_CONNECT_MODE_ENABLED"] = "1"
    builder = ConnectSession.Builder()
    if not remote.startswith(SOCKET_SCHEME):
        session = builder.remote(remote).create()
        session.client.set_retry_policies(_retry_policies(_RETRIES_OF_A_NETWORK))
        return cast("SparkSession", session)
    session = builder.channelBuilder(_socket_channel(remote)).create()
    session.client.set_retry_policies(_retry_policies(_RETRIES_OF_A_SOCKET))
    return cast("SparkSession", session)


def _retry_policies(retries: int) -> list[RetryPolicy]:
    from pyspark.sql.connect.client.retries import DefaultPolicy, RetryPolicy

    class UnreadableAnswer(RetryPolicy):
        """An answer that gRPC could not read, which it happens to: once in some million. Every request of Spark Connect
        may be made again; for rows that it has given away already Sail has another error then."""

        def can_retry(self, exception: BaseException) -> bool:
            return isinstance(exception, grpc.Call) and _UNREADABLE in (exception.details() or "")

    return [DefaultPolicy(max_retries=retries), UnreadableAnswer(max_retries=_RETRIES_OF_A_SOCKET, initial_backoff=50)]


def _socket_channel(remote: str) -> Any:
    from pyspark.sql.connect.client import ChannelBuilder

    class SocketChannel(ChannelBuilder):
        """A channel over a Unix socket."""

        @property
        def host(self) -> str:
            return "localhost"

        def toChannel(self) -> grpc.Channel:  # noqa: N802
            return self._insecure_channel(remote)

    return SocketChannel()


class _Threads(Executor):
    """A thread for each request. A pool's threads are gone when PySpark says goodbye at the end of a process, and it
    would wait for an answer."""

    def submit(self, fn: Callable[..., T], /, *args: Any, **kwargs: Any) -> Future[T]:
        future: Future[T] = Future()

        def work() -> None:
            try:
                future.set_result(fn(*args, **kwargs))
            except BaseException as fault:
                future.set_exception(fault)

        threading.Thread(target=work, name="engine", daemon=True).start()
        return future


class _Forwarding(grpc.GenericRpcHandler):  # type: ignore[misc]
    """Every method as it came: on the wire a single message is a stream of one."""

    def __init__(self, channel: grpc.Channel, lost: threading.Event) -> None:
        self._channel = channel
        self._lost = lost

    def service(self, details: grpc.HandlerCallDetails) -> grpc.RpcMethodHandler:
        method = self._channel.stream_stream(details.method)

        def forward(requests: Iterator[bytes], context: grpc.ServicerContext) -> Iterator[bytes]:
            if self._lost.is_set():  # its port may be anybody's by now: no second connection is made
                context.abort(grpc.StatusCode.UNAVAILABLE, "The Spark engine is lost.")
            # The caller's deadline cancels the call here, and so there.
            call = method(requests, metadata=_plain(context.invocation_metadata()))
            context.add_callback(call.cancel)
            try:
                yield from call
            except grpc.RpcError:
                context.set_trailing_metadata(_plain(call.trailing_metadata()))
                context.abort(call.code(), call.details())
            context.set_trailing_metadata(_plain(call.trailing_metadata()))

        return grpc.stream_stream_rpc_method_handler(forward)


def _use_small_pages() -> None:
    """Lets this process have no huge pages of memory, where the system is Linux. What is given back at once comes again
    filled with zeros, and of a huge page all two megabytes for a few kilobytes: a quarter of the time of large work."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_THP_DISABLE, 1, 0, 0, 0)


def _plain(metadata: Any) -> list[tuple[str, Any]]:
    """Without what gRPC sets itself on each hop."""
    return [(key, value) for key, value in metadata or () if key not in {"user-agent", "te", "content-type"}]


def _close_port(port: int) -> None:
    """Closes the listening socket of this process, under the server that waits on it. It sees no error: nobody comes.

    Raises `StackError` where somebody else was connected already.
    """
    nothing = os.open(os.devnull, os.O_RDONLY)
    try:
        for descriptor in _listening(port):
            os.dup2(nothing, descriptor, inheritable=False)
    finally:
        os.close(nothing)
    others = [
        each
        for each in psutil.Process().net_connections("tcp")
        if each.laddr and each.laddr.port == port and each.status == psutil.CONN_ESTABLISHED
    ]
    if accepts("127.0.0.1", port):
        raise StackError("The Spark engine's port could not be closed on this system.")
    if len(others) != 1:
        raise StackError(f"Something else on this machine connected to the Spark engine while it started: {others}")


def _listening(port: int) -> list[int]:
    found = []
    for descriptor in map(int, os.listdir("/dev/fd")):
        try:
            if not stat.S_ISSOCK(os.fstat(descriptor).st_mode):
                continue
            with socket.socket(fileno=os.dup(descriptor)) as candidate:
                listens = candidate.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN)
                if listens and candidate.getsockname()[1] == port:
                    found.append(descriptor)
        except (OSError, IndexError):  # it was closed meanwhile, or has no port
            continue
    return found
