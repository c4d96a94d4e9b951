"""Who holds a secret, remembered for a moment, so that the store is not asked at every request."""

import time
from collections import OrderedDict
from collections.abc import Callable
from hashlib import sha256

from rota.model.access import TokenKind
from rota.operations import access
from rota.operations.access import Identity
from rota.ports.store import Store

__all__ = ["Identities"]

REMEMBERED = 1.0
MOST = 10_000


class Identities:
    """A cache of who was recognised. What is revoked by this process opens nothing at once (`forget`).

    Args:
        store: where the tokens are.
        seconds: how long somebody is recognised without a look; so long a token works on that another process
            has revoked.
        clock: seconds that only grow.
    """

    def __init__(
        self, store: Store, seconds: float = REMEMBERED, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._store = store
        self._seconds = seconds
        self._clock = clock
        self._known: OrderedDict[tuple[TokenKind, bytes], tuple[float, Identity]] = OrderedDict()
        self._age = 0

    async def authenticate(self, secret: str, kind: TokenKind) -> Identity:
        """Return who holds a secret (see `operations.access.authenticate`).

        Raises:
            UnauthorizedError: it opens nothing.
        """
        # Only digests are kept here: a dump of this process shows no secret of yesterday.
        key, now = (kind, sha256(secret.encode()).digest()), self._clock()
        known = self._known.get(key)
        if known is not None and known[0] > now:
            return known[1]
        age = self._age
        identity = await access.authenticate(self._store, secret, kind)
        if age == self._age:
            self._known[key] = (now + self._seconds, identity)
            self._known.move_to_end(key)
            if len(self._known) > MOST:
                self._known.popitem(last=False)
        return identity

    def forget(self) -> None:
        """Look everybody up again: a token or session has ended."""
        self._age += 1
        self._known.clear()
