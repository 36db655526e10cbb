"""One-time passwords by the clock (RFC 6238), as a second factor at sign-in."""

from datetime import datetime, timedelta

import pyotp
import segno

_STEP = timedelta(seconds=30)
#: A code may be this many half minutes old or early: clocks of telephones differ.
_DRIFT = 1


def matching_step(secret: str, code: str, now: datetime) -> int | None:
    """Return the half minute whose code this is, if it is of now or next to it.

    Whoever accepts it must see to it that each step counts only once.
    """
    generator = pyotp.TOTP(secret)
    typed = code.replace(" ", "")
    for drift in range(-_DRIFT, _DRIFT + 1):
        moment = now + drift * _STEP
        if generator.verify(typed, for_time=moment):
            return generator.timecode(moment)
    return None


def qr_code(secret: str, login: str) -> str:
    """Return an SVG picture with which an authenticator application learns the secret."""
    uri = pyotp.TOTP(secret).provisioning_uri(name=login, issuer_name="Anteroom")
    return segno.make(uri, error="m").svg_inline(scale=5, border=2, lineclass=None, svgclass=None)
