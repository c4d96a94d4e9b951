"""Style sheet, scripts and picture of the pages; they come with the package and need no network."""

from fastapi import APIRouter
from starlette.staticfiles import StaticFiles
from starlette.types import Message, Receive, Scope, Send

__all__ = ["Assets", "router"]


class Assets:
    """Files under /static; their addresses change with their content, so browsers may keep them."""

    def __init__(self) -> None:
        self._files = StaticFiles(packages=[("rota.dashboard", "static")])

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer with a file."""

        async def keep(message: Message) -> None:
            if message["type"] == "http.response.start" and message["status"] < 400:  # noqa: PLR2004 - a refusal is not kept
                message["headers"].append((b"cache-control", b"public, max-age=31536000, immutable"))
            await send(message)

        await self._files(scope, receive, keep)


router = APIRouter()
router.mount("/static", Assets())
