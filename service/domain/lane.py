"""The lanes of the review queue: what a comment waits for, or what became of it."""

from enum import StrEnum


class Lane(StrEnum):
    """Where comments stand before moderators, in the order of their day."""

    REVIEW = "review"
    LIKELY_SPAM = "likely_spam"
    SAMPLE = "sample"
    APPROVED = "approved"
    REJECTED = "rejected"
    SPAM = "spam"
    PENDING = "pending"
    ALL = "all"


#: Lanes in which comments wait for a person.
WAITING = (Lane.REVIEW, Lane.LIKELY_SPAM, Lane.SAMPLE)

#: Held comments at this severity for nothing but spam are likely spam: twice the
#: points that hold a comment.
FAR_OVER = 2
