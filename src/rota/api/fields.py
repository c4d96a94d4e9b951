"""Types of fields that several resources have: each takes only what every store can keep."""

from datetime import UTC, datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import Path, Query
from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StrictInt,
    StringConstraints,
)

from rota.definitions.jsonable import NotJsonError, check_builtins

__all__ = [
    "INT32",
    "INT64",
    "Arguments",
    "Body",
    "Changed",
    "Cursor",
    "JobId",
    "Limit",
    "Moment",
    "Name",
    "Rank",
    "ScheduleName",
    "Seconds",
    "Text",
    "Texts",
    "View",
]

INT32 = 2**31 - 1
INT64 = 2**63 - 1
_CENTURY = 3_155_760_000
_NO_CONTROLS = r"^[^\x00-\x1f\x7f]*$"
_NO_NUL = r"^[^\x00]*$"
_SEGMENT = r"^[^\x00-\x1f\x7f/]+$"


class Body(BaseModel):
    """What a request says; a field that nobody knows is refused."""

    model_config = ConfigDict(extra="forbid")


class View(BaseModel):
    """What an answer says. Later versions may add fields."""

    model_config = ConfigDict(from_attributes=True)


class Changed(View):
    """Whether an action changed anything."""

    changed: bool = Field(description="False when it was so already")


def _only_text(value: Any) -> Any:
    if isinstance(value, str | datetime) and not str(value).lstrip("+-").isdecimal():
        return value
    raise ValueError("give a moment with its offset, such as 2026-01-01T08:00:00Z")


def _in_utc(moment: datetime) -> datetime:
    try:
        return moment.astimezone(UTC)
    except OverflowError:
        raise ValueError("it lies outside the calendar") from None


def _json(value: dict[str, Any]) -> dict[str, Any]:
    try:
        check_builtins(value, "arguments")
        str(value).encode()
    except NotJsonError as error:
        raise ValueError(str(error)) from None
    except UnicodeEncodeError:
        raise ValueError("contains half a surrogate pair") from None
    except RecursionError:
        raise ValueError("is nested too deep") from None
    return value


Moment = Annotated[AwareDatetime, BeforeValidator(_only_text), AfterValidator(_in_utc)]
Seconds = Annotated[float, Field(strict=True, ge=0, le=_CENTURY, allow_inf_nan=False)]
Rank = Annotated[StrictInt, Field(ge=-INT64 - 1, le=INT64)]
Name = Annotated[str, StringConstraints(min_length=1, max_length=200, pattern=_NO_CONTROLS)]
Text = Annotated[str, StringConstraints(min_length=1, max_length=512, pattern=_NO_NUL)]
Texts = Annotated[
    dict[Text, Annotated[str, StringConstraints(max_length=4096, pattern=_NO_NUL)]], Field(max_length=64)
]
Arguments = Annotated[dict[str, Any], AfterValidator(_json)]
Limit = Annotated[int, Query(ge=1, le=1000, description="How many at most")]
Cursor = Annotated[UUID | None, Query(description="Only older ones: the `next` of the page before")]
JobId = Annotated[UUID, Path(description="The job's id")]
ScheduleName = Annotated[
    str, Path(description="The schedule's id", min_length=1, max_length=200, pattern=_SEGMENT)
]
