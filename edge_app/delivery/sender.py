"""The thread that brings the outbox to a broker, however often the broker goes away.

One thread per broker, and no other: it runs paho's network loop itself. Whatever goes wrong ends
the connection, never the thread; the next connection starts from what the outbox knows.
"""

from __future__ import annotations

import logging
import threading
from typing import Final

from edge_app.config.schema import BrokerSettings
from edge_app.delivery.backoff import Backoff
from edge_app.delivery.certificates import Certificates
from edge_app.delivery.commands import Commands
from edge_app.delivery.home_assistant import HomeAssistant
from edge_app.delivery.lanes import Lane
from edge_app.delivery.messages import Messages
from edge_app.delivery.mqtt import Connected, Connection, Event, Lost, Received, Refused
from edge_app.delivery.outbox import Outbox
from edge_app.delivery.session import Clocks, Limits, Session
from edge_app.delivery.status import Status, in_words
from edge_app.delivery.tls import Renewal
from edge_app.delivery.wake import Wake
from edge_app.delivery.welcome import Version, WelcomeError, welcomed
from edge_app.errors import DeliveryError, DresscodeError

log = logging.getLogger(__name__)

DRAIN_S: Final = 2.5
FAREWELL_S: Final = 1.5
STOP_S: Final = 5.0


class Sender:
    """Delivers the outbox to one broker from ``start`` to ``stop``, or within ``with``.

    Args:
        settings: the broker.
        outbox: what is to be delivered.
        messages: makes the box's own state messages.
        broker: the outbox's name for the broker.
        drain_per_s: messages of a backlog per second.
        clocks: what time it is.
    """

    def __init__(
        self,
        settings: BrokerSettings,
        outbox: Outbox,
        messages: Messages,
        broker: str = "store",
        drain_per_s: float = 20.0,
        clocks: Clocks | None = None,
    ) -> None:
        self._settings = settings
        self._outbox = outbox
        self._messages = messages
        self._broker = broker
        self._drain_per_s = drain_per_s
        self._clocks = clocks or Clocks()
        self._wake = Wake()
        self._stopping = threading.Event()
        self._reloading = threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"sender-{broker}", daemon=True)
        self._version = Version(settings)
        self._session: Session | None = None
        self._commands: Commands | None = None
        self._said: tuple[str, str] | None = None
        self._trouble: str | None = None
        self._detail = "not connected yet"
        self._sent = self._connections = 0
        self._reached: dict[Lane, int] = {}
        self._renewal = Renewal(settings)
        self._certificates = Certificates(settings)
        self._acknowledged_at_s: float | None = None
        self.home_assistant: HomeAssistant | None = None
        """Whom to keep told of the box; to be set before :meth:`start`."""
        outbox.listen(self._wake.set)

    def __enter__(self) -> Sender:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def obey(self, commands: Commands) -> None:
        """Take commands through this broker; to be called before :meth:`start`."""
        self._commands = commands
        commands.listen(self._wake.set)

    def start(self) -> None:
        """Begin to connect; a broker that is not there is waited for."""
        self._thread.start()

    def stop(self) -> None:
        """Deliver what can be delivered, say good-bye and end, within five seconds."""
        self._stopping.set()
        self._wake.set()
        self._thread.join(STOP_S)
        if self._thread.is_alive():
            log.warning("the connection to %s hangs; leaving it behind", self._settings.url)
            return
        self._outbox.unlisten(self._wake.set)
        if self._commands is not None:
            self._commands.unlisten(self._wake.set)
        self._wake.close()

    def reload(self) -> None:
        """Connect anew, with passwords and certificates read again."""
        self._reloading.set()
        self._wake.set()

    def renew(self) -> None:
        """Connect anew if a password or certificate file has changed."""
        if self._renewal.is_due():
            self.reload()

    def degrade(self, reason: str | None) -> None:
        """Say that the box is degraded and why, or with None that it no longer is."""
        if reason != self._trouble:
            self._trouble = reason
            self._wake.set()

    @property
    def is_alive(self) -> bool:
        """The thread runs."""
        return self._thread.is_alive()

    def status(self) -> Status:
        """How it is doing, from any thread."""
        session = self._session
        at_s = self._acknowledged_at_s if session is None else session.acknowledged_at_s
        refusal = session and session.refusal
        detail = f"{self._detail}, but it refuses messages: {refusal}" if refusal else self._detail
        return Status(
            session is not None,
            self._settings.url,
            self._version.spoken,
            detail,
            detail if refusal or session is None else None,
            session.in_flight if session else 0,
            None if at_s is None else max(0.0, self._clocks.steady() - at_s),
            self._sent + (session.sent if session else 0),
            self._connections,
            self._certificates.lifetimes,
            self._certificates.renewals_due,
        )

    def _run(self) -> None:
        backoff = Backoff(self._settings.reconnect_max_s)
        reported = None
        while not self._stopping.is_set():
            began_s = self._clocks.steady()
            welcomed = self._connections
            try:
                self._connect_and_serve()
                reason = "connecting anew"
            except WelcomeError as refusal:
                reason = str(refusal)
                if self._version.fall_back(refusal):
                    continue
            except (OSError, DresscodeError) as error:
                reason = in_words(error)
            except Exception as error:  # the thread's top: log, and start over
                log.exception("delivery to %s failed; connecting anew", self._settings.url)
                reason = f"{type(error).__name__}: {error}"
            self._end_session()
            was_welcomed = self._connections > welcomed
            if was_welcomed:
                reported = None
                self._version.start_over()
            self._detail = f"not connected: {reason}"
            if not self._stopping.is_set():
                level = logging.DEBUG if reason == reported else logging.WARNING
                log.log(
                    level, "no connection to the broker %s (%s): %s; counting goes on, and what "
                    "waits is sent later", self._settings.url, self._broker, reason,
                )  # fmt: skip
                reported = reason
                lived_s = self._clocks.steady() - began_s if was_welcomed else 0.0
                self._pause(backoff.pause_s(lived_s))
        self._end_session()

    def _pause(self, pause_s: float) -> None:
        until_s = self._clocks.steady() + pause_s
        while not self._stopping.is_set() and not self._reloading.is_set():
            left_s = until_s - self._clocks.steady()
            if left_s <= 0.0:
                break
            self._wake.wait(min(left_s, 1.0))
            self._outbox.drop_now(self._broker)
        self._reloading.clear()

    def _connect_and_serve(self) -> None:
        """One connection from its birth to its end.

        Raises:
            WelcomeError: the broker refused us.
            DeliveryError, OSError: the connection was lost, or never was.
        """
        birth = self._outbox.next_birth()
        will = self._messages.node_state("offline", "lost", birth, self._clocks.wall())
        client_id = f"dresscode-{self._messages.store}-{self._messages.node}"
        connection = Connection(self._settings, client_id, self._version.spoken, will)
        try:
            connection.open()
            welcome = self._welcome(connection)
            self._certificates.connected(welcome.certificate, self._clocks.wall())
            limits = Limits.agreed(self._settings, welcome, self._drain_per_s)
            parts = (connection, self._outbox, self._broker, limits, self._clocks)
            session = Session(*parts, self._reached)
            if self._commands is not None:
                connection.subscribe(self._commands.pattern)
            if self.home_assistant is not None:
                self.home_assistant.connected()
                if self.home_assistant.pattern is not None:
                    connection.subscribe(self.home_assistant.pattern)
            self._connections += 1
            self._said = None
            self._say_state(session, birth)  # before anybody can see the session, and stop it
            self._session = session
            self._detail = f"connected with MQTT {self._version.spoken}"
            log.info(
                "connected to the broker %s (%s) with MQTT %s, %d messages waiting",
                self._settings.url, self._broker, self._version.spoken,
                self._outbox.depth(self._broker).rows,
            )  # fmt: skip
            self._serve(connection, session, birth)
            # Who has not said good-bye leaves the will to tell that nobody is there, should the
            # next connection fail.
            has_left = self._stopping.is_set() and self._say_farewell(connection, session, birth)
            session.settle(self._clocks.steady())
            connection.close(is_clean=has_left)
        finally:
            connection.close(is_clean=False)

    def _welcome(self, connection: Connection) -> Connected:
        def step(timeout_s: float) -> list[Event]:
            events = connection.step(timeout_s, self._wake.fileno())
            if self._wake.clear():
                self._outbox.drop_now(self._broker)
            return events

        return welcomed(step, self._settings, self._clocks.steady, self._stopping.is_set)

    def _serve(self, connection: Connection, session: Session, birth: int) -> None:
        """Deliver until we are to stop or to connect anew."""
        while not self._stopping.is_set() and not self._reloading.is_set():
            self._certificates.turn(self._clocks.wall())
            self._say_state(session, birth)
            self._turn(connection, session)
        self._reloading.clear()

    def _turn(
        self, connection: Connection, session: Session, until_s: float = float("inf")
    ) -> None:
        """Send what may go, and see what came, waiting no longer than until some time."""
        if self.home_assistant is not None:
            self.home_assistant.turn(session)
        session.send()
        left_s = max(until_s - self._clocks.steady(), 0.0)
        events = connection.step(min(session.patience_s, left_s), self._wake.fileno())
        if self._wake.clear():
            session.changed()
        session.handle(events)
        for event in events:
            if isinstance(event, Received):
                self._receive(event)
            elif isinstance(event, (Lost, Refused)):  # a union is slow to ask
                raise DeliveryError(f"connection lost: {event.reason}")
        if self._commands is not None:
            for answer in self._commands.answers(self._broker):
                connection.answer(answer.topic, answer.payload, answer.correlation)
        if session.is_stalled:
            raise DeliveryError(
                f"no acknowledgement for {self._settings.stall_s:.0f} s, "
                f"{session.in_flight} messages under way"
            )

    def _receive(self, received: Received) -> None:
        told = self.home_assistant
        if told is not None and told.heard(received.topic, received.payload):
            return
        if self._commands is not None:
            self._commands.receive(self._broker, received)

    def _say_state(self, session: Session, birth: int) -> None:
        refusal = session.refusal and f"the broker refuses messages: {session.refusal}"
        due = self._certificates.renewals_due
        trouble = "; ".join(filter(None, (self._trouble, self._outbox.trouble, refusal, due)))
        self._say(session, birth, ("degraded", trouble) if trouble else ("online", "started"))

    def _say(self, session: Session, birth: int, words: tuple[str, str]) -> None:
        if words != self._said:
            self._said = words
            session.say(self._messages.node_state(*words, birth, self._clocks.wall()))

    def _say_farewell(self, connection: Connection, session: Session, birth: int) -> bool:
        """Deliver what waits and say good-bye; whether the broker has acknowledged that."""
        until_s = self._clocks.steady() + DRAIN_S
        self._say(session, birth, ("stopping", "stopped"))
        while not session.is_idle and self._clocks.steady() < until_s:
            self._turn(connection, session, until_s)
        until_s = self._clocks.steady() + FAREWELL_S
        session.finish(self._messages.node_state("offline", "stopped", birth, self._clocks.wall()))
        while not session.is_idle and self._clocks.steady() < until_s:
            self._turn(connection, session, until_s)
        return session.has_said_all

    def _end_session(self) -> None:
        session, self._session = self._session, None
        if session is not None:
            self._sent += session.sent
            self._reached |= session.reached
            self._acknowledged_at_s = session.acknowledged_at_s
