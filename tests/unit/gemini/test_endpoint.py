"""Keys and videos go to Google, to this machine, or where the user has said so; nowhere else."""

from __future__ import annotations

import pytest

from gsvr_tui.gemini.endpoint import GOOGLE, BadEndpoint, checked_base_url, is_loopback, may_take_upload


def test_an_empty_base_url_means_google() -> None:
    assert checked_base_url("") == checked_base_url("  ") == GOOGLE
    assert checked_base_url(GOOGLE + "/") == GOOGLE


@pytest.mark.parametrize(
    "url",
    ["http://127.0.0.1:8080", "http://localhost:1", "http://[::1]:9", "https://us-generativelanguage.googleapis.com"],
)
def test_this_machine_and_google_need_no_leave(url: str) -> None:
    assert checked_base_url(url) == url


@pytest.mark.parametrize(
    "url", ["https://proxy.example/gemini", "https://8.8.8.8", "https://googleapis.com.evil.example"]
)
def test_another_host_needs_leave(url: str) -> None:
    with pytest.raises(BadEndpoint, match="allow_custom_endpoint: true"):
        checked_base_url(url)
    assert checked_base_url(url, allow_custom=True) == url


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("http://proxy.example", "https"),
        ("http://generativelanguage.googleapis.com", "https"),
        ("http://192.168.1.5:80", "https"),
        ("ftp://x.example", "web address"),
        ("proxy.example", "web address"),
        ("https://", "web address"),
        ("https://user:pw@x.example", "user name or password"),
        ("https://x.example/?key=1", "query"),
        ("https://x.example/#f", "fragment"),
        ("https://x.example:99999", "web address"),
        ("https://[::1", "web address"),
        ("https://x.example\\@evil.example", "plain"),
        ("https://x.exa mple", "plain"),
        ("https://gооgle.example", "plain"),  # Cyrillic
        ("https://x.example/\x1b[31m", "plain"),
    ],
)
def test_no_leave_makes_a_bad_address_good(url: str, words: str) -> None:
    with pytest.raises(BadEndpoint, match=words) as caught:
        checked_base_url(url, allow_custom=True)
    assert "\x1b" not in str(caught.value)
    assert "pw" not in str(caught.value)


@pytest.mark.parametrize(
    ("url", "base", "fine"),
    [
        ("https://generativelanguage.googleapis.com/upload/v1beta/files?upload_id=1", GOOGLE, True),
        ("https://storage.googleapis.com/x", GOOGLE, True),
        ("http://generativelanguage.googleapis.com/x", GOOGLE, False),
        ("https://generativelanguage.googleapis.com:444/x", GOOGLE, False),
        ("https://evil.example/x", GOOGLE, False),
        ("https://googleapis.com.evil.example/x", GOOGLE, False),
        ("https://notgoogleapis.com/x", GOOGLE, False),
        ("https://evil.example\\.googleapis.com/x", GOOGLE, False),
        ("https://x@evil.example/", GOOGLE, False),
        ("http://127.0.0.1:5000/u", "http://127.0.0.1:5000", True),
        ("http://127.0.0.1:5001/u", "http://127.0.0.1:5000", False),
        ("http://localhost:5000/u", "http://127.0.0.1:5000", False),
        ("https://proxy.example/u", "https://proxy.example/gemini", True),
        ("//evil.example/x", GOOGLE, False),
        ("", GOOGLE, False),
    ],
)
def test_upload_addresses_are_the_services_own_or_googles(url: str, base: str, fine: bool) -> None:
    assert may_take_upload(url, base) is fine


def test_loopback_is_known_in_every_spelling() -> None:
    assert is_loopback("http://127.8.8.8")
    assert is_loopback("http://api.localhost:80")
    assert not is_loopback("http://128.0.0.1")
