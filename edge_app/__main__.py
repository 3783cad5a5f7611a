"""``python -m edge_app`` is ``dresscode``."""

from edge_app.cli import main

if __name__ == "__main__":
    main()
