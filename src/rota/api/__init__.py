"""The HTTP API: thin, over operations."""

from rota.api.routes import make_router

__all__ = ["make_router"]
