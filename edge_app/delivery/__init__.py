"""Telling the right people over MQTT: payloads, outbox, sender."""
