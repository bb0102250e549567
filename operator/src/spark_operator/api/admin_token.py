"""ADMIN_TOKEN, for break-glass: a mounted file, one token a line, two at most, read anew on change."""

from __future__ import annotations

import hashlib
import hmac
import logging
from pathlib import Path

LOG = logging.getLogger(__name__)

LEAST_CHARACTERS = 32
LEAST_DISTINCT_CHARACTERS = 8
MOST_TOKENS = 2
# What examples, templates and tutorials put there
WEAK_WORDS = (
    "test-secret",
    "changeme",
    "change-me",
    "password",
    "example",
    "placeholder",
    "replace",
    "admin-token",
)


class WeakToken(ValueError):
    """The file holds what is no secret. The text never quotes it."""


def read_tokens(content: str) -> tuple[bytes, ...]:
    """SHA-256 digests of the tokens in a file, one a line. Raises `WeakToken`."""
    tokens = [line.strip() for line in content.splitlines() if line.strip()]
    if len(tokens) > MOST_TOKENS:
        raise WeakToken(f"at most {MOST_TOKENS} tokens may be valid at once; there are {len(tokens)} lines")
    for number, token in enumerate(tokens, 1):
        if weakness := _weakness(token):
            raise WeakToken(f"the token in line {number} {weakness}; make one with `openssl rand -hex 32`")
    return tuple(_digest(token) for token in tokens)


def _weakness(token: str) -> str:
    if not token.isascii() or not token.isprintable() or " " in token:
        return "has characters other than printable ASCII without spaces"
    if len(token) < LEAST_CHARACTERS:
        return f"has {len(token)} characters; at least {LEAST_CHARACTERS} are needed"
    if any(word in token.lower() for word in WEAK_WORDS):
        return "is a known weak value"
    repeated = token in (token + token)[1:-1]
    if repeated or len(set(token)) < LEAST_DISTINCT_CHARACTERS:
        return "repeats itself"
    return ""


def _digest(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()


class AdminToken:
    """The tokens that are valid now. No file: break-glass is off."""

    def __init__(self, path: Path | None) -> None:
        """Raises `WeakToken` for a file whose tokens are weak."""
        self._path = path
        self._stamp = self._present_stamp()
        self._digests = self._read()

    @property
    def enabled(self) -> bool:
        self._renew()
        return bool(self._digests)

    def accepts(self, candidate: str) -> bool:
        """Compares digests, every one of them, in constant time."""
        self._renew()
        digest = hashlib.sha256(candidate.encode("utf-8", "surrogateescape")).digest()
        matches = [hmac.compare_digest(digest, known) for known in self._digests]
        return any(matches)

    def _renew(self) -> None:
        stamp = self._present_stamp()
        if stamp == self._stamp:
            return
        self._stamp = stamp
        try:
            self._digests = self._read()
            LOG.info("ADMIN_TOKEN was read anew: %d valid", len(self._digests))
        except WeakToken as weak:
            self._digests = ()  # what was replaced may have been revoked
            LOG.error("ADMIN_TOKEN is refused, break-glass is off: %s", weak)

    def _read(self) -> tuple[bytes, ...]:
        try:
            return read_tokens(self._path.read_text()) if self._path else ()
        except FileNotFoundError:
            return ()
        except (OSError, UnicodeDecodeError) as error:
            raise WeakToken(f"{self._path} cannot be read ({type(error).__name__})") from None

    def _present_stamp(self) -> tuple[int, ...]:
        try:
            found = self._path.stat() if self._path else None
        except OSError:
            return ()
        return (found.st_ino, found.st_mtime_ns, found.st_size) if found else ()
