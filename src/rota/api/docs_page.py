"""`/api/docs`: the OpenAPI document as a page of one's own, without scripts and without the network."""

from functools import cache
from typing import Any

from fastapi import APIRouter, FastAPI, Request
from fastapi.responses import HTMLResponse, Response
from jinja2 import Environment, PackageLoader, select_autoescape

__all__ = ["router"]

router = APIRouter(include_in_schema=False)

_VERBS = ("get", "post", "put", "patch", "delete")


@router.get("/api/docs")
async def show(request: Request) -> Response:
    """Show what can be asked, of whom and with what."""
    return HTMLResponse(_rendered(request.app))


@router.get("/api/docs/style.css")
async def style() -> Response:
    """Give the page its style."""
    return Response(_templates().get_template("docs.css").render(), media_type="text/css")


@cache  # the routes of an application do not change
def _rendered(app: FastAPI) -> str:
    document = app.openapi()
    groups: dict[str, list[dict[str, Any]]] = {}
    for path, verbs in document["paths"].items():
        for verb in _VERBS:
            if (operation := verbs.get(verb)) is not None:
                tag = (operation.get("tags") or ["other"])[0]
                groups.setdefault(tag, []).append({"verb": verb, "path": path, **operation})
    schemas = document["components"]["schemas"]
    page = _templates().get_template("docs.html")
    return page.render(info=document["info"], groups=groups, schemas=schemas)


def _typed(schema: dict[str, Any]) -> str:
    """Return a schema in a few words."""
    if "$ref" in schema:
        return str(schema["$ref"]).rpartition("/")[2]
    if options := schema.get("anyOf"):
        return " or ".join(dict.fromkeys(_typed(one) for one in options))
    if schema.get("enum"):
        return " | ".join(map(str, schema["enum"]))
    if schema.get("type") == "array":
        return f"list of {_typed(schema.get('items', {}))}"
    return str(schema.get("format") or schema.get("type") or "anything")


@cache
def _templates() -> Environment:
    templates = Environment(loader=PackageLoader("rota.api"), autoescape=select_autoescape(["html"]))
    templates.filters["typed"] = _typed
    return templates
