"""What the record knows of an author from before."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class AuthorHistory:
    """Counts of an author's earlier comments on the same site.

    `approved` and `rejected` belong to an identity that the website vouches
    for; they are 0 when it vouches for none. The `claimed_*` counts belong to
    whoever used the same e-mail address before, which proves nothing.
    `seen` counts everything under either, whatever became of it.
    """

    approved: int = 0
    rejected: int = 0
    claimed_approved: int = 0
    claimed_rejected: int = 0
    seen: int = 0

    @property
    def rejected_share(self) -> float | None:
        """The share of rejected comments among those decided on; None if there are none."""
        decided = self.approved + self.rejected
        return self.rejected / decided if decided else None
