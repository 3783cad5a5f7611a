"""Dresscode: an in-store camera application; everything here runs in the store.

The flow, each arrow a value of :mod:`edge_app.flow`::

    capture -> detection -> tracking -> outfit -> events -> delivery
    Frame   -> Detections -> Track   -> Outfit -> Entry/Alert/CountWindow -> outbox -> MQTT

``edge_app.pipeline`` shows it in one screen.
"""

__version__ = "0.1.0"
