"""Tests of Anteroom: real Redis, real SQLite, real PostgreSQL, real processes."""
