"""Where a request comes from, also through a proxy."""

import ipaddress

from fastapi import Request

from rota.settings import Settings

__all__ = ["client_of", "is_proxy", "is_secure", "peer"]


def peer(request: Request) -> str:
    """Return the address at the other end of the connection."""
    return request.client.host if request.client else ""


def is_proxy(request: Request, settings: Settings) -> bool:
    """Tell whether a request comes from a proxy that the settings name."""
    try:
        host = ipaddress.ip_address(peer(request))
    except ValueError:
        return False
    named = filter(None, map(str.strip, settings.proxies.split(",")))
    return any(host in ipaddress.ip_network(one, strict=False) for one in named)


def client_of(request: Request, settings: Settings) -> str:
    """Return the address of who asks: what a named proxy says, else the other end of the connection.

    Of `X-Forwarded-For` only the last part is the proxy's own word; what stands before came from outside.
    """
    forwarded = request.headers.get("X-Forwarded-For", "").rpartition(",")[2].strip()
    return forwarded if forwarded and is_proxy(request, settings) else peer(request)


def is_secure(request: Request, settings: Settings) -> bool:
    """Tell whether the browser speaks TLS, with us or with a named proxy."""
    forwarded = request.headers.get("X-Forwarded-Proto", "")
    return request.url.scheme == "https" or (forwarded == "https" and is_proxy(request, settings))
