"""Arguments that are encrypted on their way through the store."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Generic, TypeVar

from rota.model.errors import ConfigurationError, MissingExtraError

if TYPE_CHECKING:
    from cryptography.fernet import MultiFernet

__all__ = ["Keyring", "Secret"]

T = TypeVar("T")


class Secret(Generic[T]):
    """A value that is shown nowhere: `Secret[str]` as an annotation encrypts the argument at submit.

    `reveal()` gives the value; `str` and `repr` do not.
    """

    __slots__ = ("_value",)

    def __init__(self, value: T) -> None:
        self._value = value

    def reveal(self) -> T:
        """Return the value in clear."""
        return self._value

    def __repr__(self) -> str:
        return "Secret('***')"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and bool(self._value == other._value)

    def __hash__(self) -> int:
        return hash((Secret, self._value))


class Keyring:
    """Encrypts with the first of `keys` and decrypts with any of them (Fernet: AES-128-CBC with HMAC-SHA256).

    Keys are URL-safe base64 of 32 bytes, as `rota check --new-key` prints them.
    """

    def __init__(self, keys: Sequence[str] = ()) -> None:
        self._keys = tuple(keys)
        self._fernet: MultiFernet | None = None

    def encrypt(self, text: str) -> str:
        """Return the token of `text`."""
        return self._cipher().encrypt(text.encode()).decode()

    @staticmethod
    def made(value: object) -> bool:
        """Tell whether a value looks like a token: version 0x80, then a time whose first bytes are zero."""
        return isinstance(value, str) and value.startswith("gAAAA")

    def decrypt(self, token: str) -> str:
        """Return the text of a token.

        Raises:
            ConfigurationError: no key of the ring fits.
        """
        from cryptography.fernet import InvalidToken  # noqa: PLC0415 - an optional extra

        try:
            return self._cipher().decrypt(token.encode()).decode()
        except InvalidToken:
            raise ConfigurationError(
                ["a secret was encrypted with a key that is not in ROTA_KEYS: add the old key at the end"]
            ) from None

    def _cipher(self) -> "MultiFernet":
        if not self._keys:
            raise ConfigurationError(
                ["Secret arguments need ROTA_KEYS: one or more keys, comma-separated, newest first"]
            )
        if self._fernet is None:
            try:
                from cryptography.fernet import Fernet, MultiFernet  # noqa: PLC0415 - an optional extra
            except ImportError:
                raise MissingExtraError("encrypting Secret arguments", "crypto") from None
            try:
                self._fernet = MultiFernet([Fernet(key) for key in self._keys])
            except ValueError:
                raise ConfigurationError(
                    ["ROTA_KEYS holds a key that is not 32 bytes of URL-safe base64"]
                ) from None
        return self._fernet
