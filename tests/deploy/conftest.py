"""The brokers of the delivery's tests."""

from tests.broker.conftest import has_mosquitto, mosquitto, outbox

__all__ = ["has_mosquitto", "mosquitto", "outbox"]
