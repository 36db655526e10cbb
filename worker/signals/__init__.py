"""Signals: what can be noticed in a comment, one family a file.

Signals are pure. Time, counts and history come in from outside, so that every
verdict can be worked out again later and give the same.
"""
