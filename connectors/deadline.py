"""A clock over a whole HTTP exchange.

A socket's timeout bounds one read. A server that sends a byte now and then, in the head, between chunks or in a
compressed body that never yields anything, passes it for hours; at the deadline its socket is shut from outside.
"""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from types import TracebackType
from typing import Any, Self

import requests.adapters
import urllib3

_current = threading.local()


class Deadline:
    """Shuts the sockets over which the current thread awaits answers, once `at` (by time.monotonic) has come."""

    def __init__(self, at: float) -> None:
        self.is_over = False
        self._sock: socket.socket | None = None
        self._lock = threading.Lock()
        self._timer = threading.Timer(max(0.0, at - time.monotonic()), self._shut)
        self._timer.daemon = True

    def watch(self, sock: socket.socket | None) -> None:
        """From now on it is this socket that is shut."""
        with self._lock:
            self._sock = sock
        if self.is_over:
            self._shut()

    def __enter__(self) -> Self:
        _current.deadline = self
        self._timer.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._timer.cancel()
        del _current.deadline
        # The socket may serve the next question: it must not be shut for this one's sake.
        with self._lock:
            self._sock = None

    def _shut(self) -> None:
        self.is_over = True
        with self._lock, contextlib.suppress(OSError):
            if self._sock is not None:
                self._sock.shutdown(socket.SHUT_RDWR)


class _Watched:
    """A connection that tells the thread's deadline over which socket an answer is awaited."""

    sock: socket.socket | None

    def getresponse(self) -> Any:
        deadline: Deadline | None = getattr(_current, "deadline", None)
        if deadline is not None:
            deadline.watch(self.sock)
        return super().getresponse()  # type: ignore[misc]


class _PlainConnection(_Watched, urllib3.connection.HTTPConnection):
    pass


class _SecureConnection(_Watched, urllib3.connection.HTTPSConnection):
    pass


class _PlainPool(urllib3.HTTPConnectionPool):
    ConnectionCls = _PlainConnection


class _SecurePool(urllib3.HTTPSConnectionPool):
    ConnectionCls = _SecureConnection


class Adapter(requests.adapters.HTTPAdapter):
    """Connections, direct and by proxy, that keep to the deadline of their thread."""

    def init_poolmanager(self, *args: Any, **options: Any) -> None:
        """As in requests, with our pools."""
        super().init_poolmanager(*args, **options)
        self.poolmanager.pool_classes_by_scheme = {"http": _PlainPool, "https": _SecurePool}

    def proxy_manager_for(self, proxy: str, **options: Any) -> urllib3.PoolManager:
        """As in requests, with our pools."""
        manager: urllib3.PoolManager = super().proxy_manager_for(proxy, **options)
        manager.pool_classes_by_scheme = {"http": _PlainPool, "https": _SecurePool}
        return manager
