"""Refusals as RFC 9457 tells them: `application/problem+json`, with the fields that are at fault."""

from collections.abc import Callable, Sequence
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException

from rota.model.errors import (
    ArgumentsError,
    CapabilityError,
    ConfigurationError,
    ConflictError,
    ForbiddenError,
    ForbiddenMoveError,
    InFlightError,
    KeyReusedError,
    NotFoundError,
    PayloadTooLargeError,
    RotaError,
    StoreUnavailableError,
    TriggerError,
    UnauthorizedError,
    UnknownTaskError,
)

__all__ = ["FieldFault", "Problem", "answers", "install", "problem", "status_of"]

MEDIA_TYPE = "application/problem+json"
RETRY_AFTER = 5

# The first that fits, so that a kind stands before the more general ones.
_STATUSES: tuple[tuple[type[RotaError], HTTPStatus], ...] = (
    (UnauthorizedError, HTTPStatus.UNAUTHORIZED),
    (ForbiddenError, HTTPStatus.FORBIDDEN),
    (NotFoundError, HTTPStatus.NOT_FOUND),
    (ConflictError, HTTPStatus.CONFLICT),
    (ForbiddenMoveError, HTTPStatus.CONFLICT),
    (PayloadTooLargeError, HTTPStatus.REQUEST_ENTITY_TOO_LARGE),
    (KeyReusedError, HTTPStatus.UNPROCESSABLE_ENTITY),
    (ArgumentsError, HTTPStatus.UNPROCESSABLE_ENTITY),
    (UnknownTaskError, HTTPStatus.UNPROCESSABLE_ENTITY),
    (ConfigurationError, HTTPStatus.UNPROCESSABLE_ENTITY),
    (CapabilityError, HTTPStatus.NOT_IMPLEMENTED),
    (StoreUnavailableError, HTTPStatus.SERVICE_UNAVAILABLE),
)


class FieldFault(BaseModel):
    """What is wrong with one field."""

    field: str = Field(description="Where it is, such as body.trigger", examples=["body.trigger"])
    reason: str = Field(description="What is wrong, and what to do")


class Problem(BaseModel):
    """A refusal (RFC 9457)."""

    type: str = Field(description="A URI that names the kind of problem", examples=["urn:rota:not-found"])
    title: str = Field(description="The kind of problem in words")
    status: int = Field(description="The status of the answer")
    detail: str = Field(description="What is wrong, with which value, and what to do")
    errors: list[FieldFault] = Field(default=[], description="The fields that are at fault")


def status_of(error: RotaError) -> HTTPStatus:
    """Return the status by which an error is answered."""
    return next((status for kind, status in _STATUSES if isinstance(error, kind)), HTTPStatus.BAD_REQUEST)


def problem(
    status: HTTPStatus, detail: str, errors: Sequence[FieldFault] = (), headers: dict[str, str] | None = None
) -> Response:
    """Return the answer that tells a problem."""
    detail = detail.encode(errors="replace").decode()
    name = status.phrase.lower().replace(" ", "-")
    body = Problem(
        type=f"urn:rota:{name}", title=status.phrase, status=status, detail=detail, errors=list(errors)
    )
    return JSONResponse(body.model_dump(), status, headers, MEDIA_TYPE)


def install(app: FastAPI, page: Callable[[Request, RotaError], Response]) -> None:
    """Let an application answer every refusal: to a browser by `page`, to others as a problem."""

    async def refused(request: Request, error: Exception) -> Response:
        assert isinstance(error, RotaError)  # noqa: S101 - the handler is installed for nothing else
        if _wants_page(request):
            return page(request, error)
        return _refused(error)

    app.add_exception_handler(RotaError, refused)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _http)


def _wants_page(request: Request) -> bool:
    path = request.url.path
    return not path.startswith("/api/") and "text/html" in request.headers.get("Accept", "")


def _refused(error: RotaError) -> Response:
    status = status_of(error)
    headers = {}
    if status is HTTPStatus.UNAUTHORIZED:
        headers["WWW-Authenticate"] = 'Bearer realm="rota"'
    if isinstance(error, InFlightError):
        headers["Retry-After"] = "1"
    if status is HTTPStatus.SERVICE_UNAVAILABLE:
        headers["Retry-After"] = str(RETRY_AFTER)
    return problem(status, str(error), _fields(error), headers)


async def _invalid(_: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)  # noqa: S101 - as above
    faults = [
        FieldFault(field=".".join(map(str, one["loc"])), reason=str(one["msg"])) for one in error.errors()
    ]
    detail = "; ".join(f"{one.field}: {one.reason}" for one in faults)
    return problem(HTTPStatus.UNPROCESSABLE_ENTITY, detail, faults)


async def _http(_: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)  # noqa: S101 - as above
    status = HTTPStatus(error.status_code)
    return problem(status, error.detail or status.phrase, headers=dict(error.headers or {}))


def _fields(error: RotaError) -> list[FieldFault]:
    match error:
        case ArgumentsError():
            return [FieldFault(field=f"body.arguments.{error.field}", reason=str(error))]
        case TriggerError():
            return [FieldFault(field=f"body.trigger.{error.field}", reason=str(error))]
        case _:
            return []


def answers(*statuses: HTTPStatus) -> dict[int | str, dict[str, Any]]:
    """Return the problems of a route for its OpenAPI description."""
    schema = {"$ref": "#/components/schemas/Problem"}
    return {
        int(status): {"description": status.phrase, "content": {MEDIA_TYPE: {"schema": schema}}}
        for status in statuses
    }
