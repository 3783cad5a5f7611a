"""What each command of ``dresscode`` does; ``edge_app.cli`` only reads their arguments."""
