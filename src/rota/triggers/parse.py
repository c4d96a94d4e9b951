"""From the structured form of a trigger back to the trigger."""

from collections.abc import Mapping
from typing import Any

import msgspec

from rota.model.errors import TriggerError, did_you_mean
from rota.triggers.base import Trigger
from rota.triggers.cron import Cron
from rota.triggers.interval import Interval

__all__ = ["from_json"]

_KINDS: dict[str, type[Cron | Interval]] = {"cron": Cron, "every": Interval}


def from_json(form: Mapping[str, Any]) -> Trigger:
    """Return the trigger whose `to_json` is `form`; it is checked as if it were written in code.

    Raises:
        TriggerError: its kind is unknown, or a field is missing, unknown, of a wrong type or out of bounds.
    """
    name = form.get("kind")
    kind = _KINDS.get(name) if isinstance(name, str) else None
    if kind is None:
        remedy = f"Choose {' or '.join(map(repr, _KINDS))}.{did_you_mean(str(name), _KINDS)}"
        raise TriggerError("trigger", "kind", name, "is unknown", remedy)
    try:
        return msgspec.convert(form, kind)
    except msgspec.ValidationError as error:
        fields = ", ".join(kind.__struct_fields__)
        raise TriggerError(
            str(name), "form", dict(form), f"cannot be read: {error}", f"Fields: {fields}"
        ) from None
