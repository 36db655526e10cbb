"""The words of comment moderation as plain types: standard library only."""
