"""Being a good daemon: logs, watchdog, metrics."""
