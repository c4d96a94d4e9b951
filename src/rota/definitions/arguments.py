"""A task's arguments: checked against its signature at submit, carried as JSON, rebuilt by annotation."""

import inspect
import re
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, get_args, get_origin, get_type_hints

import msgspec

from rota.definitions.jsonable import (
    UNTYPED,
    Hooks,
    NotJsonError,
    check_builtins,
    unsupported_types,
)
from rota.definitions.secret import Keyring, Secret
from rota.model.errors import ArgumentsError, ConfigurationError

__all__ = ["Arguments"]

_VARIADIC = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
_BY_POSITION = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
_SCALARS = frozenset({bool, type(None)})
_MISSING_OR_UNKNOWN = re.compile(r"^Object (?:missing required|contains unknown) field `(.+)`$")


class Arguments:
    """The codec of one task's arguments.

    Arguments travel as one JSON object keyed by parameter name; parameters left to their default are absent,
    so that the default of the code that runs applies. Parameters whose annotation is in `resources` are not
    part of it: the worker fills them.

    Raises:
        ConfigurationError: annotations that cannot travel as JSON, all of them at once.
    """

    def __init__(
        self, task: str, function: Callable[..., Any], *, resources: Mapping[Any, Any], keyring: Keyring
    ) -> None:
        self._task = task
        self._signature = inspect.signature(function)
        hints = _hints(task, function)
        parameters = self._signature.parameters
        self.injected = {name: hints[name] for name in parameters if _known(hints.get(name), resources)}
        self._parameters = {name: p for name, p in parameters.items() if name not in self.injected}
        self._untyped = frozenset(n for n in self._parameters if hints.get(n, UNTYPED) is UNTYPED)
        self._refuse_unsupported(hints)
        self._names = tuple(self._parameters)
        self._positional = tuple(n for n, p in self._parameters.items() if p.kind in _BY_POSITION)
        self._required = frozenset(
            n
            for n, p in self._parameters.items()
            if p.default is inspect.Parameter.empty and p.kind not in _VARIADIC
        )
        self._simple = all(p.kind is inspect.Parameter.POSITIONAL_OR_KEYWORD for p in parameters.values())
        self._bindable = self._signature.replace(parameters=list(self._parameters.values()))
        self.hooks = Hooks(keyring)
        self._struct = self._make_struct(hints)
        self._decoder = msgspec.json.Decoder(self._struct, dec_hook=self.hooks.decode)
        self._checker = msgspec.json.Decoder(self._struct, dec_hook=self.hooks.check)
        self._foreign = msgspec.json.Decoder(self._struct, dec_hook=self.hooks.accept)
        self._hidden = frozenset(n for n in self._parameters if _mentions_secret(hints.get(n)))
        self._encoder = msgspec.json.Encoder()

    def schema(self) -> dict[str, Any]:
        """Return the JSON schema of the arguments."""
        return msgspec.json.schema(self._struct, schema_hook=_schema_of)

    def encode(self, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> bytes:
        """Check arguments against the signature and return them as JSON.

        Raises:
            ArgumentsError: one is missing, unknown, of a wrong type, or cannot travel.
        """
        return self._pack(self._bind(args, kwargs))

    def encode_json(self, values: Mapping[str, Any]) -> bytes:
        """Check arguments that came as JSON, by parameter, secrets in clear; return them as they travel.

        Raises:
            ArgumentsError: one is missing, unknown, of a wrong type, or cannot travel.
        """
        try:
            check_builtins(dict(values), "arguments")
            given = msgspec.structs.astuple(self._foreign.decode(self._encoder.encode(values)))
        except NotJsonError as error:
            raise self._fault(error.path.removeprefix("arguments."), error.reason) from None
        except (msgspec.ValidationError, UnicodeEncodeError, RecursionError) as error:
            reason, _, path = str(error).partition(" - at `$.")
            field = path.rstrip("`") or "".join(_MISSING_OR_UNKNOWN.findall(reason)) or "(all)"
            raise self._fault(field, reason) from None
        named = zip(self._names, given, strict=True)
        return self._pack({name: value for name, value in named if value is not msgspec.UNSET})

    def _pack(self, values: dict[str, Any]) -> bytes:
        try:
            for name, value in values.items():
                kind = type(value)
                if kind in _SCALARS:
                    continue
                native = name in self._untyped
                if kind is not str and kind is not int and kind is not float and not native:
                    value = msgspec.to_builtins(value, enc_hook=self.hooks.encode, str_keys=True)  # noqa: PLW2901 - checked and sent in this form
                    values[name] = value
                check_builtins(value, name, native_only=native)
            payload = self._encoder.encode(values)
            self._checker.decode(payload)
        except NotJsonError as error:
            raise self._fault(error.path, error.reason) from None
        except msgspec.ValidationError as error:
            reason, _, path = str(error).partition(" - at `$.")
            raise self._fault(path.rstrip("`") or "(all)", f"{reason}, in {self._shown(values)}") from None
        except (NotImplementedError, TypeError, OverflowError) as error:
            raise self._fault("(all)", str(error)) from None
        return payload

    def decode(
        self, payload: bytes, resources: Mapping[Any, Any] = MappingProxyType({})
    ) -> tuple[tuple[Any, ...], dict[str, Any]]:
        """Return positional and keyword arguments for the function, its resources among them.

        Raises:
            ArgumentsError: the payload does not fit the signature that this code has.
        """
        values = self._decode(payload)
        if self._simple and not self.injected and msgspec.UNSET not in values:
            return values, {}
        return self._spread(dict(zip(self._names, values, strict=True)), resources)

    def named(self, payload: bytes) -> dict[str, Any]:
        """Return the arguments that were given, by parameter.

        Raises:
            ArgumentsError: as `decode`.
        """
        pairs = zip(self._names, self._decode(payload), strict=True)
        return {name: value for name, value in pairs if value is not msgspec.UNSET}

    def _decode(self, payload: bytes) -> tuple[Any, ...]:
        try:
            return msgspec.structs.astuple(self._decoder.decode(payload))
        except msgspec.DecodeError as error:
            raise self._fault("(payload)", f"the stored arguments do not fit this code: {error}") from None

    def _spread(
        self, values: Mapping[str, Any], resources: Mapping[Any, Any]
    ) -> tuple[tuple[Any, ...], dict[str, Any]]:
        args: list[Any] = []
        kwargs: dict[str, Any] = {}
        # After a gap (a default) what follows has to go by name.
        gap = False
        for name, parameter in self._signature.parameters.items():
            value = resources[self.injected[name]] if name in self.injected else values[name]
            if parameter.kind is inspect.Parameter.VAR_POSITIONAL:
                args.extend(value or ())
            elif parameter.kind is inspect.Parameter.VAR_KEYWORD:
                kwargs.update(value or {})
            elif value is msgspec.UNSET:
                gap = True
            elif parameter.kind in _BY_POSITION and not gap:
                args.append(value)
            else:
                kwargs[name] = value
        return tuple(args), kwargs

    def _bind(self, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> dict[str, Any]:
        if self._simple and not kwargs and len(args) == len(self._names):
            return dict(zip(self._names, args, strict=True))
        if self._simple and len(args) <= len(self._positional):
            values = dict(zip(self._positional, args, strict=False))
            size = len(values)
            values.update(kwargs)
            if (
                len(values) == size + len(kwargs)
                and self._required <= values.keys()
                and values.keys() <= self._parameters.keys()
            ):
                return values
        try:
            return dict(self._bindable.bind(*args, **kwargs).arguments)
        except TypeError as error:
            raise ArgumentsError(
                self._task, "(signature)", str(error), f"The task takes {self._bindable}"
            ) from None

    def _make_struct(self, hints: Mapping[str, Any]) -> type[msgspec.Struct]:
        fields: list[tuple[str, Any] | tuple[str, Any, Any]] = []
        for index, (name, parameter) in enumerate(self._parameters.items()):
            kind = hints.get(name, UNTYPED)
            if parameter.kind is inspect.Parameter.VAR_POSITIONAL:
                kind = list[kind]  # type: ignore[valid-type]  # built at run time
            elif parameter.kind is inspect.Parameter.VAR_KEYWORD:
                kind = dict[str, kind]  # type: ignore[valid-type]  # built at run time
            if name in self._required:
                fields.append((f"a{index}", kind))
            else:
                fields.append(
                    (f"a{index}", kind | msgspec.UnsetType if kind is not Any else Any, msgspec.UNSET)
                )
        return msgspec.defstruct(
            "Arguments",
            fields,
            kw_only=True,
            forbid_unknown_fields=True,
            rename={f"a{index}": name for index, name in enumerate(self._parameters)},
        )

    def _refuse_unsupported(self, hints: Mapping[str, Any]) -> None:
        faults = [
            f"task {self._task!r}, parameter {name!r}: {bad} cannot travel as JSON. "
            "Use JSON types, datetime, UUID, Decimal, bytes, enum, dataclass, Struct or a pydantic model, "
            "or provide it as a resource (@app.resource)"
            for name in self._parameters
            if name in hints
            for bad in unsupported_types(hints[name])
        ]
        if faults:
            raise ConfigurationError(faults)

    def _shown(self, values: Mapping[str, Any]) -> str:
        shown = (f"{name}={'***' if name in self._hidden else repr(value)}" for name, value in values.items())
        text = ", ".join(shown)
        return text if len(text) <= 200 else text[:197] + "..."  # noqa: PLR2004 - a line of an error message

    def _fault(self, field: str, reason: str) -> ArgumentsError:
        return ArgumentsError(self._task, field, reason, f"The task takes {self._bindable}")


def _hints(task: str, function: Callable[..., Any]) -> dict[str, Any]:
    try:
        return get_type_hints(function)
    except NameError as error:
        raise ConfigurationError(
            [f"task {task!r}: an annotation names something undefined: {error}. Import it at module level"]
        ) from None


def _schema_of(kind: Any) -> dict[str, Any]:
    # `writeOnly` is how JSON Schema says that a value is taken and never shown.
    if (get_origin(kind) or kind) is Secret:
        return {"type": "string", "writeOnly": True}
    return {}  # a pydantic model: its own schema has references that would lead nowhere here


def _known(hint: Any, resources: Mapping[Any, Any]) -> bool:
    try:
        return hint in resources
    except TypeError:
        return False


def _mentions_secret(hint: Any) -> bool:
    return hint is Secret or get_origin(hint) is Secret or any(map(_mentions_secret, get_args(hint)))
