"""The thread that sends in the background. What it does at each turn is its owner's to say."""

from __future__ import annotations

import threading
from collections.abc import Callable


class Worker:
    """Takes a turn every `interval` seconds, sooner when it is woken. The thread begins with the first `wake`."""

    def __init__(self, turn: Callable[[], object], interval: float) -> None:
        self._turn = turn
        self._interval = interval
        self.forget()

    def forget(self) -> None:
        """At first, and after a fork, which leaves the thread behind."""
        self._starting = threading.Lock()
        self._woken = threading.Event()
        self._stopped = False
        self._thread: threading.Thread | None = None

    def start(self) -> bool:
        """Makes sure that the thread runs. False where it cannot: it was stopped, or the interpreter is ending."""
        if self._thread is not None and self._thread.is_alive():
            return True
        with self._starting:
            if self._stopped:
                return False
            if self._thread is None or not self._thread.is_alive():
                thread = threading.Thread(target=self._run, name="event-assets", daemon=True)
                try:
                    thread.start()
                except RuntimeError:
                    return False
                self._thread = thread
        return True

    def wake(self) -> None:
        """Lets the next turn be now."""
        if not self._woken.is_set():
            self._woken.set()

    def stop(self, timeout: float) -> None:
        """Ends the thread after its turn; waits for it as long as is said."""
        self._stopped = True
        self._woken.set()
        if self._thread is not None and self._thread is not threading.current_thread():
            self._thread.join(timeout)

    def _run(self) -> None:
        while not self._stopped:
            self._woken.wait(self._interval)
            self._woken.clear()
            self._turn()
