"""Signatures of outgoing webhooks, as Standard Webhooks 1.0 has them (HMAC-SHA256)."""

import base64
import binascii
import hashlib
import hmac
from collections.abc import Sequence

__all__ = ["decode_secret", "sign"]

PREFIX = "whsec_"
LEAST, MOST = 24, 64


def decode_secret(text: str) -> bytes:
    """Return the key of a secret, which is base64 of 24 to 64 bytes, with or without "whsec_" before it.

    Raises:
        ValueError: it is not.
    """
    try:
        key = base64.b64decode(text.removeprefix(PREFIX), validate=True)
    except binascii.Error as error:
        raise ValueError("is not base64") from error
    if not LEAST <= len(key) <= MOST:
        raise ValueError(f"has {len(key)} bytes, and {LEAST} to {MOST} are asked for")
    return key


def sign(keys: Sequence[bytes], message: str, timestamp: int, body: bytes) -> str:
    """Return the header `webhook-signature`: one signature for each key, so that keys can be changed.

    Args:
        keys: the newest first.
        message: the id that stays the same when it is sent again.
        timestamp: of this try, in seconds since 1970 UTC.
        body: as it is sent.
    """
    content = f"{message}.{timestamp}.".encode() + body
    digests = (hmac.new(key, content, hashlib.sha256).digest() for key in keys)
    return " ".join(f"v1,{base64.b64encode(digest).decode()}" for digest in digests)
