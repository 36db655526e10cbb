"""The service: takes comments in, keeps the record, and lets people review."""

__version__ = "0.1.0"
