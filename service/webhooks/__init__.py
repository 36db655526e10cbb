"""Webhooks: telling websites what became of their comments, until they have heard it."""
