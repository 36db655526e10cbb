"""Models: what was learned from labelled comments, read from plain arrays beside this code.

A model gives a score, the probability that people would call a comment spam or
abuse; rules make points of it. Where a model is missing, damaged or knows no word
of a comment's language, its score is absent and the rules go on without it.
"""
