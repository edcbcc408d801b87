"""Where requests may go: the policy on base URLs and on the upload addresses a server names."""

from __future__ import annotations

from ipaddress import ip_address
from urllib.parse import SplitResult, urlsplit

from gsvr_tui.core.text import clean_text

GOOGLE = "https://generativelanguage.googleapis.com"
_GOOGLE_HOST = "googleapis.com"


class BadEndpoint(ValueError):
    """An address that a key or a video may not be sent to; the message says why and what to do."""


def _is_loopback(host: str) -> bool:
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def _is_google(host: str) -> bool:
    return host == _GOOGLE_HOST or host.endswith("." + _GOOGLE_HOST)


def _split(url: str) -> SplitResult:
    """The parts of a URL. Raises BadEndpoint for anything two readers could understand differently."""
    shown = clean_text(url)[:200]
    if not url.isascii() or not url.isprintable() or " " in url or "\\" in url:
        raise BadEndpoint(f"{shown} is not a plain web address")
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError:
        raise BadEndpoint(f"{shown} is not a web address") from None
    if parts.scheme not in ("https", "http") or not host:
        raise BadEndpoint(f"{shown} is not a web address; it should look like {GOOGLE}")
    if parts.username is not None or parts.password is not None:
        raise BadEndpoint("base_url may not hold a user name or password")
    return parts


def origin(url: str) -> tuple[str, str, int]:
    """Scheme, host and port. Raises BadEndpoint."""
    parts = _split(url)
    return parts.scheme, (parts.hostname or "").lower(), parts.port or (443 if parts.scheme == "https" else 80)


def is_loopback(url: str) -> bool:
    """True for an address of this very machine."""
    return _is_loopback(origin(url)[1])


def checked_base_url(base_url: str, *, allow_custom: bool = False) -> str:
    """The address to use, without a slash at its end; Google's when `base_url` is empty.

    https is needed, except on this machine; a host that is not Google's needs `allow_custom`. Raises BadEndpoint.
    """
    url = base_url.strip().rstrip("/")
    if not url:
        return GOOGLE
    parts = _split(url)
    if parts.query or parts.fragment:
        raise BadEndpoint("base_url may not hold a query or a fragment")
    host = (parts.hostname or "").lower()
    if parts.scheme == "http" and not _is_loopback(host):
        raise BadEndpoint(f"{url} would send the key unencrypted; use https")
    if not (allow_custom or _is_loopback(host) or _is_google(host)):
        raise BadEndpoint(
            f"{host} is not Google: the key and the videos would go there. "
            "If that is meant, set allow_custom_endpoint: true for the account"
        )
    return url


def may_take_upload(url: str, base_url: str) -> bool:
    """True when the bytes of a video may go to an upload address: the base URL's own origin, or Google by https."""
    try:
        scheme, host, port = origin(url)
        return (scheme, host, port) == origin(base_url) or (scheme == "https" and port == 443 and _is_google(host))
    except BadEndpoint:
        return False
