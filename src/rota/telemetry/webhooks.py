"""Sends signed webhooks: to hosts that are allowed, once, following nothing."""

import http
import http.client
import ipaddress
import socket
import ssl
from collections.abc import Iterable, Mapping
from urllib.parse import urlsplit

from rota.model.errors import RotaError

__all__ = ["RefusedAddressError", "WebhookError", "check_url", "post"]

TIMEOUT = 10.0
_PORTS = {"http": 80, "https": 443}


class RefusedAddressError(RotaError):
    """A webhook would go where none may."""


class WebhookError(RotaError):
    """An endpoint did not take a webhook; `retry_after` is how many seconds it asks to wait."""

    def __init__(self, text: str, retry_after: str | None = None) -> None:
        super().__init__(text)
        self.retry_after = retry_after


def check_url(url: str) -> str | None:
    """Return what is wrong with the url of an endpoint; None: nothing."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        return str(error)
    if parts.scheme not in _PORTS or not parts.hostname or port == 0:
        return "give an address with http:// or https://"
    if parts.username is not None or parts.password is not None:
        return "it has a user or a password in it: leave them out, the signature is the proof"
    return None


def post(url: str, body: bytes, headers: Mapping[str, str], allowed: Iterable[str]) -> int:
    """Send one request; returns the status of the answer, 2xx or 410, which is not followed and not read.

    Args:
        url: http or https.
        body: as it is signed.
        headers: beside those that every request has.
        allowed: names of hosts that may have a private address. With any there, no other host will do.

    Raises:
        RefusedAddressError: the host is not allowed, or has a private address.
        WebhookError: it cannot be reached, or answers with anything else.
    """
    parts = urlsplit(url)
    host = parts.hostname or ""
    port = parts.port or _PORTS[parts.scheme]
    try:
        addresses = _addresses(host, port, frozenset(allowed))
        connection = _connection(parts.scheme, host, port, addresses[0])
        try:
            target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
            connection.request("POST", target, body, {"Content-Type": "application/json", **headers})
            with connection.getresponse() as answer:
                status, wait = answer.status, answer.getheader("Retry-After")
        finally:
            connection.close()
    except (OSError, http.client.HTTPException) as error:
        raise WebhookError(f"{host} cannot be reached: {error}") from error
    if status == http.HTTPStatus.GONE:
        return status
    if not http.HTTPStatus.OK <= status < http.HTTPStatus.MULTIPLE_CHOICES:
        raise WebhookError(f"{host} answered {status}", wait)
    return status


def _addresses(host: str, port: int, allowed: frozenset[str]) -> list[str]:
    """Return where a host is; what was looked at is what is connected to, or a second answer could differ."""
    if allowed and host not in allowed:
        raise RefusedAddressError(f"{host} is not among ROTA_NOTIFY_HOSTS")
    found = [str(info[4][0]) for info in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)]
    private = [one for one in found if not _public(one)]
    if private and host not in allowed:
        raise RefusedAddressError(
            f"{host} has the private address {private[0]}: name it in ROTA_NOTIFY_HOSTS if that is meant"
        )
    return found


def _public(text: str) -> bool:
    address = ipaddress.ip_address(text.partition("%")[0])
    inner = getattr(address, "ipv4_mapped", None) or getattr(address, "sixtofour", None)
    return (inner or address).is_global and not address.is_multicast


def _connection(scheme: str, host: str, port: int, address: str) -> http.client.HTTPConnection:
    connection = http.client.HTTPConnection(host, port, timeout=TIMEOUT)
    line = socket.create_connection((address, port), TIMEOUT)
    if scheme == "https":
        try:
            line = ssl.create_default_context().wrap_socket(line, server_hostname=host)
        except BaseException:
            line.close()
            raise
    connection.sock = line
    return connection
