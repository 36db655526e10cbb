"""What an author's past says: only an identity that the website vouches for proves anything."""

from service.domain.comment import Author
from service.domain.history import AuthorHistory


def is_proven(author: Author) -> bool:
    """Whether the website itself knows who wrote this."""
    return author.verified_id is not None


def has_record(author: Author, history: AuthorHistory) -> bool:
    """Whether people approved a comment of this author before, under a proven identity."""
    return is_proven(author) and history.approved > 0


def is_first(history: AuthorHistory) -> bool:
    """Whether nothing was heard of this author before."""
    return history.seen == 0
