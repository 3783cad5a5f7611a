"""The wait for a broker's welcome, and the version of MQTT to ask it in."""

from __future__ import annotations

from collections.abc import Callable

from edge_app.config.schema import BrokerSettings
from edge_app.delivery.mqtt import Connected, Event, Lost, Protocol, Refused
from edge_app.delivery.status import certificate_hint


class WelcomeError(Exception):
    """The broker did not welcome us; another version of MQTT may help or not.

    Some brokers say so, some close the connection, and some (amqtt) wait for bytes that never come.
    """

    def __init__(self, reason: str, may_be_version: bool) -> None:
        super().__init__(reason)
        self.may_be_version = may_be_version


class Version:
    """The version of MQTT to speak: as configured, or in turns until the broker knows one.

    Args:
        settings: of the broker.

    Attributes:
        spoken: now, or next.
    """

    def __init__(self, settings: BrokerSettings) -> None:
        self._is_auto = settings.protocol == "auto"
        self.spoken: Protocol = "5" if settings.protocol == "auto" else settings.protocol

    def fall_back(self, refusal: WelcomeError) -> bool:
        """Speak the other one next, where that may help; whether to do so at once."""
        if not self._is_auto or not refusal.may_be_version:
            return False
        was_first = self.spoken == "5"
        self.spoken = "3.1.1" if was_first else "5"
        return was_first

    def start_over(self) -> None:
        """After a connection that was good: the broker may have learnt the first meanwhile."""
        if self._is_auto:
            self.spoken = "5"


def welcomed(
    step: Callable[[float], list[Event]],
    settings: BrokerSettings,
    steady: Callable[[], float],
    is_stopping: Callable[[], bool],
) -> Connected:
    """Wait until the broker says welcome.

    Args:
        step: waits for the network for so many seconds, and tells what happened.
        settings: of the broker.
        steady: seconds that never jump.
        is_stopping: nobody waits any more.

    Raises:
        WelcomeError: it does not.
    """
    until_s = steady() + settings.connect_timeout_s
    while (left_s := until_s - steady()) > 0.0 and not is_stopping():
        for event in step(min(left_s, 0.2)):
            if isinstance(event, Connected):
                return event
            if isinstance(event, Refused):
                raise WelcomeError(f"refused: {event.reason}", event.is_version)
            if isinstance(event, Lost):
                reason = f"no welcome: {event.reason}{certificate_hint(settings)}"
                raise WelcomeError(reason, may_be_version=True)
    raise WelcomeError("it accepts the connection but says nothing", may_be_version=True)
