"""The configuration: its schema, and reading it from YAML."""
