"""The broker of the demo, with mosquitto and without."""

import gc
import socket
import threading
import time
from contextlib import suppress

import pytest

from edge_app.delivery.broker import EmbeddedBroker, find_mosquitto
from edge_app.errors import DeliveryError


def test_who_connects_while_it_stops_is_hung_up_on_too() -> None:
    """What is left open would be told as a warning, which is an error in tests, when collected."""
    for _ in range(3):
        stopped = threading.Event()
        with EmbeddedBroker("amqtt") as broker:
            knocking = threading.Thread(target=_knock, args=(broker.port, stopped))
            knocking.start()
            time.sleep(0.2)
        stopped.set()
        knocking.join()
        gc.collect()


def _knock(port: int, stopped: threading.Event) -> None:
    clients = []
    while not stopped.is_set():
        with suppress(OSError):
            clients.append(socket.create_connection(("127.0.0.1", port), 0.2))
        time.sleep(0.002)
    for client in clients:
        client.close()


@pytest.fixture
def _mosquitto() -> None:
    if find_mosquitto() is None:
        pytest.skip("mosquitto: not installed (apt install mosquitto)")


@pytest.mark.usefixtures("_mosquitto")
def test_mosquitto_serves_however_many_come_and_go() -> None:
    connect = b"\x10\x48\x00\x04MQTT\x04\x02\x00\x3c\x00\x3c" + b"x" * 60
    with EmbeddedBroker("mosquitto") as broker:
        for _ in range(500):
            with socket.create_connection(("127.0.0.1", broker.port), 5) as client:
                client.sendall(connect)
                assert client.recv(4) == b"\x20\x02\x00\x00"
                client.sendall(b"\xe0\x00")


@pytest.mark.usefixtures("_mosquitto")
def test_why_mosquitto_ended_is_told() -> None:
    with pytest.raises(DeliveryError, match=r"ended at once: .*Error"):
        EmbeddedBroker("mosquitto", websockets_port=-1).__enter__()
