"""Secrets: keyed hashes, receipts, and the making of keys and tokens."""

import hashlib
import hmac
import secrets
from base64 import b32encode, b64encode, urlsafe_b64decode, urlsafe_b64encode
from binascii import Error as NotBase64
from uuid import UUID

from service.domain.comment import CommentId
from service.domain.site import KeyKind

#: No two values meet by chance in 128 bits, and without the secret nobody can search.
_MAC_BYTES = 16
_SECRET_BYTES = 32
#: What RFC 4226 recommends for one-time passwords.
_TOTP_BYTES = 20
_PREFIX = {KeyKind.SERVER: "sk_", KeyKind.PUBLIC: "pk_"}

#: What every moderator token starts with.
TOKEN_PREFIX = "mt_"  # noqa: S105  # what every token starts with is no secret


def new_key(kind: KeyKind) -> str:
    """Return a fresh site key.

    Akismet clients refuse any key that is not 12 hexadecimal characters; the
    other kinds carry 256 random bits behind a prefix that tells what they are.
    """
    if kind is KeyKind.AKISMET:
        return secrets.token_hex(6)
    return _PREFIX[kind] + secrets.token_urlsafe(32)


def new_token() -> str:
    """Return a fresh bearer token for a moderator."""
    return TOKEN_PREFIX + secrets.token_urlsafe(32)


def digest(secret: str) -> str:
    """Return the form in which keys and tokens are stored: 64 hexadecimal digits.

    Plain SHA-256 is enough, because what it hides is long and random.
    """
    return hashlib.sha256(secret.encode()).hexdigest()


def is_short(key: str) -> bool:
    """Whether a site key is of the kind that Akismet clients insist on."""
    return not key.startswith(tuple(_PREFIX.values()))


class Keyring:
    """Everything that depends on the installation's own secret."""

    def __init__(self, secret: str) -> None:
        # BLAKE2's own keyed mode takes up to 64 bytes; a secret of any length becomes that.
        self._key = hashlib.blake2b(secret.encode()).digest()
        self._begun: dict[str, hashlib.blake2b] = {}

    def hash(self, purpose: str, value: str) -> str:
        """Return 32 hexadecimal digits that stand for `value` but do not tell it.

        The same value hashed for two purposes (at most 16 characters each) gives
        unrelated digits. There are no more of them because the record's indexes
        are full of them: twice as many made a commit take 1.4 times as long.
        """
        return self._mac(purpose, value).hex()

    def key_digest(self, key: str) -> str:
        """Return the form in which a site key is stored.

        A short one can be found by trying all there are, unless that takes the secret too.
        """
        return self.harden(digest(key)) if is_short(key) else digest(key)

    def harden(self, digested: str) -> str:
        """Return the keyed form of a short key of which only the digest is known."""
        return self.hash("short-key", digested)

    def webhook_secret(self, seed: str) -> str:
        """Return the secret that belongs to `seed`: 32 bytes as Standard Webhooks writes them.

        Computed, not stored, so that no copy of the database gives it away.
        """
        return "whsec_" + b64encode(self._secret("webhook", seed)).decode()

    def receipt(self, comment_id: CommentId) -> str:
        """Return the private token with which its author follows a comment.

        Computed, not stored, so that a repeated request gets the same link.
        """
        identity = UUID(comment_id).bytes
        mac = self._mac("receipt", comment_id)
        return urlsafe_b64encode(identity + mac).rstrip(b"=").decode()

    def open_receipt(self, token: str) -> CommentId | None:
        """Return the comment that `token` was made for, or None if nobody made it."""
        try:
            raw = urlsafe_b64decode(token.encode("ascii") + b"=" * (-len(token) % 4))
            comment_id = CommentId(str(UUID(bytes=raw[:16])))
        except (ValueError, NotBase64):
            return None
        # Compared with the canonical token: base64 has several spellings of one value.
        genuine = hmac.compare_digest(self.receipt(comment_id).encode(), token.encode())
        return comment_id if genuine else None

    def totp_secret(self, nonce: str) -> str:
        """Return the secret of one person's one-time passwords, in base 32.

        Worked out, not stored: whoever reads the record alone learns no secret.
        """
        return b32encode(self._secret("totp", nonce)[:_TOTP_BYTES]).decode()

    def _secret(self, purpose: str, value: str) -> bytes:
        """Return 32 bytes that serve as somebody's secret."""
        person = purpose.encode()
        return hashlib.blake2b(
            value.encode(), key=self._key, person=person, digest_size=_SECRET_BYTES
        ).digest()

    def _mac(self, purpose: str, value: str) -> bytes:
        begun = self._begun.get(purpose)
        if begun is None:
            begun = hashlib.blake2b(key=self._key, person=purpose.encode(), digest_size=_MAC_BYTES)
            self._begun[purpose] = begun
        # Taking the key in is half of the work, and is done once for each purpose.
        keyed = begun.copy()
        keyed.update(value.encode())
        return keyed.digest()
