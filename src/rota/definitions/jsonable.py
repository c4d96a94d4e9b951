"""What may travel as JSON, and how the types beyond JSON's own do."""

import math
from typing import Any, get_args, get_origin

import msgspec

from rota.definitions.secret import Keyring, Secret

__all__ = ["UNTYPED", "Hooks", "NotJsonError", "check_builtins", "unsupported_types"]

INT64 = range(-(2**63), 2**63)
UNTYPED = Any
_JSON_TYPES = (str, int, float, bool, type(None), list, dict)


class NotJsonError(ValueError):
    """A value that cannot travel; `path` says where it is."""

    def __init__(self, path: str, reason: str) -> None:
        self.path, self.reason = path, reason
        super().__init__(f"{path}: {reason}")


def check_builtins(value: Any, path: str, *, native_only: bool = False) -> None:
    """Refuse what JSON or a store would change or lose.

    Args:
        value: built of JSON's own types (after `msgspec.to_builtins`), or anything with `native_only`.
        path: where it is, for the message.
        native_only: also refuse every type that is not JSON's own (for parameters without annotation).

    Raises:
        NotJsonError: NaN, an infinity, an integer beyond 64 bits, a NUL character, or a foreign type.
    """
    kind = type(value)
    if kind is list:
        for index, item in enumerate(value):
            check_builtins(item, f"{path}[{index}]", native_only=native_only)
    elif kind is dict:
        for name, item in value.items():
            if type(name) is not str:
                raise NotJsonError(path, f"the key {name!r} is not a string")
            check_builtins(name, f"{path} key")
            check_builtins(item, f"{path}.{name}", native_only=native_only)
    elif native_only and kind not in _JSON_TYPES:
        raise NotJsonError(path, f"a {kind.__name__} is not one of JSON's own types")
    else:
        reason = _fault_of_scalar(kind, value)
        if reason:
            raise NotJsonError(path, reason)


def _fault_of_scalar(kind: type, value: Any) -> str:
    if kind is str and "\0" in value:
        return "contains a NUL character"
    if kind is int and value not in INT64:
        return f"{value} is beyond 64 bits"
    if kind is float and not math.isfinite(value):
        return f"{value} is not a JSON number"
    return ""


class Hooks:
    """How msgspec writes and reads types that are not its own: pydantic models and secrets."""

    def __init__(self, keyring: Keyring) -> None:
        self._keyring = keyring

    def encode(self, value: Any) -> Any:
        """Return the JSON form of a value that msgspec does not know."""
        if isinstance(value, Secret):
            text = value.reveal()
            if not isinstance(text, str):
                message = f"a Secret holds text, and this one a {type(text).__name__}"
                raise TypeError(message)
            return self._keyring.encrypt(text)
        if hasattr(type(value), "model_dump"):
            return value.model_dump(mode="json")
        message = f"a {type(value).__name__} cannot travel as JSON"
        raise NotImplementedError(message)

    def check(self, kind: type, value: Any) -> Any:
        """Do as `decode` for arguments that are just leaving, without a look into secrets.

        Raises:
            ValueError: it is not of type `kind`.
        """
        if (get_origin(kind) or kind) is not Secret:
            return self.decode(kind, value)
        if not self._keyring.made(value):
            raise ValueError("Expected `Secret`: wrap the text, as in Secret('...')")
        return Secret("")

    def accept(self, kind: type, value: Any) -> Any:
        """Do as `decode` for arguments from outside, whose secrets come in clear.

        Raises:
            ValueError: it is not of type `kind`.
        """
        if (get_origin(kind) or kind) is not Secret:
            return self.decode(kind, value)
        if not isinstance(value, str):
            raise ValueError("Expected `str`")  # noqa: TRY004 - msgspec tells of a ValueError where it was
        return Secret(value)

    def decode(self, kind: type, value: Any) -> Any:
        """Return the value of type `kind` from its JSON form."""
        if (get_origin(kind) or kind) is Secret:
            return Secret(self._keyring.decrypt(value))
        return kind.model_validate(value)  # type: ignore[attr-defined]  # only such types pass the check below


def unsupported_types(annotation: Any) -> list[str]:
    """Return the names of the types inside `annotation` that cannot travel as JSON."""
    try:
        info = msgspec.inspect.type_info(annotation)
    except TypeError as error:
        return [str(error)]
    found: list[str] = []
    _collect(info, found, set())
    return found


def _collect(info: Any, found: list[str], seen: set[int]) -> None:
    if id(info) in seen:
        return
    seen.add(id(info))
    if isinstance(info, msgspec.inspect.CustomType):
        kind = get_origin(info.cls) or info.cls
        if kind is Secret:
            if get_args(info.cls) not in ((), (str,)):
                found.append(f"{info.cls} (only Secret[str] is possible)")
        elif not hasattr(kind, "model_validate"):
            found.append(getattr(kind, "__qualname__", str(kind)))
        return
    children = info if isinstance(info, tuple) else _children(info)
    for child in children:
        _collect(child, found, seen)


def _children(info: Any) -> list[Any]:
    if not isinstance(info, msgspec.inspect.Type | msgspec.inspect.Field):
        return []
    return [
        value for value in (getattr(info, name, None) for name in info.__struct_fields__) if value is not None
    ]
