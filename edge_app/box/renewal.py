"""A network that fails, or gives no answer, is started anew while the box goes on.

Every call runs in a thread of the engine's own, since a driver whose device fell off the bus never
comes back from one: such a thread is left behind with its engine, and a new pair takes over.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from queue import Empty, SimpleQueue

from edge_app.errors import EngineError
from edge_app.flow import Batch, Float32
from edge_app.ports import Engine

log = logging.getLogger(__name__)

ANSWER_S = 10.0
"""An engine that needs longer hangs; shorter than the pipeline may stand still."""

FAILURES = 3
"""So many failed calls on end: the engine is broken, not the picture."""

FIRST_PAUSE_S = 1.0
LONGEST_PAUSE_S = 60.0
MOST_LEFT_BEHIND = 2
"""Hanging threads, with the memory of their engines, beyond which only a new process helps."""


class RenewedEngine:
    """An :class:`~edge_app.ports.Engine` that replaces itself; the pause doubles from 1 s to 60 s.

    Args:
        name: of the network, for messages.
        open_one: starts the engine.
        answer_s: how long a call may take.
        clock: seconds that never go back.

    Raises:
        EngineError: it does not start.
    """

    def __init__(
        self,
        name: str,
        open_one: Callable[[], Engine],
        answer_s: float = ANSWER_S,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._name = name
        self._log = logging.LoggerAdapter(log, {"network": name})
        self._open_one = open_one
        self._answer_s = answer_s
        self._clock = clock
        self._caller: _Caller | None = _Caller(name, open_one())
        self._left_behind: list[_Caller] = []
        self._failures = 0
        self._pause_s = FIRST_PAUSE_S
        self._renew_at_s = 0.0

    @property
    def inner(self) -> Engine | None:
        """The engine of the moment; None while there is none."""
        return None if self._caller is None else self._caller.engine

    def infer(self, batch: Batch) -> dict[str, Float32]:
        """Run the network; see :class:`edge_app.ports.Engine`."""
        caller = self._caller or self._start_again()
        try:
            answer = caller.call(batch, self._answer_s)
        except TimeoutError:
            self._left_behind.append(caller)
            self._give_up(f"no answer for {self._answer_s:g} s")
            raise EngineError(f"{self._name}: no answer for {self._answer_s:g} s") from None
        except EngineError as error:
            self._failures += 1
            if self._failures >= FAILURES:
                self._give_up(str(error))
                self._close(caller)
            raise
        self._failures, self._pause_s = 0, FIRST_PAUSE_S
        return answer

    def close(self) -> None:
        """Free the engine; one that hangs is left to the end of the process."""
        if self._caller is not None:
            self._close(self._caller)
            self._caller = None

    def _start_again(self) -> _Caller:
        waits_s = self._renew_at_s - self._clock()
        if waits_s > 0:
            raise EngineError(f"{self._name}: started anew in {waits_s:.0f} s")
        self._left_behind = [caller for caller in self._left_behind if caller.is_alive]
        if len(self._left_behind) >= MOST_LEFT_BEHIND:
            raise EngineError(f"{self._name}: {MOST_LEFT_BEHIND} calls hang, and no third is made")
        try:
            self._caller = _Caller(self._name, self._open_one())
        except EngineError as error:
            self._give_up(str(error))
            raise
        self._log.warning("%s: started anew", self._name)
        return self._caller

    def _give_up(self, why: str) -> None:
        """Do without the engine, and try a new one after a pause."""
        self._log.error("%s: %s; a new engine is started in %.0f s", self._name, why, self._pause_s)
        self._caller, self._failures = None, 0
        self._renew_at_s = self._clock() + self._pause_s
        # Only an answer shows that it works: an engine that starts and fails keeps its pause.
        self._pause_s = min(2 * self._pause_s, LONGEST_PAUSE_S)

    def _close(self, caller: _Caller) -> None:
        try:
            caller.close()
        except EngineError as error:
            self._log.warning("%s: the old engine could not be freed: %s", self._name, error)


class _Caller:
    """One engine, and the thread that calls it.

    Attributes:
        engine: that is called.
    """

    def __init__(self, name: str, engine: Engine) -> None:
        self.engine = engine
        self._batches: SimpleQueue[Batch | None] = SimpleQueue()
        self._answers: SimpleQueue[dict[str, Float32] | Exception] = SimpleQueue()
        self._thread = threading.Thread(target=self._run, name=f"engine-{name}", daemon=True)
        self._thread.start()

    @property
    def is_alive(self) -> bool:
        """The thread has not ended."""
        return self._thread.is_alive()

    def call(self, batch: Batch, timeout_s: float) -> dict[str, Float32]:
        """Run the network.

        Raises:
            EngineError: as the engine says.
            TimeoutError: it hangs; this caller is of no use any more, and ends when it is let go.
        """
        self._batches.put(batch)
        try:
            answer = self._answers.get(timeout=timeout_s)
        except Empty:
            self._batches.put(None)
            raise TimeoutError from None
        if isinstance(answer, Exception):
            raise answer
        return answer

    def close(self) -> None:
        """End the thread, then free the engine."""
        self._batches.put(None)
        self._thread.join()
        self.engine.close()

    def _run(self) -> None:
        while (batch := self._batches.get()) is not None:
            self._answers.put(self._answer(batch))

    def _answer(self, batch: Batch) -> dict[str, Float32] | Exception:
        try:
            return self.engine.infer(batch)
        except Exception as error:  # noqa: BLE001  # whoever asked gets it
            return error
