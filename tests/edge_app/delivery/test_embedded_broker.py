"""The broker of the demo, where no mosquitto is installed."""

import gc
import socket
import threading
import time
from contextlib import suppress

from edge_app.delivery.broker import EmbeddedBroker


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
