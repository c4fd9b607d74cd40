"""Webhooks lead to the public Internet, and to networks that the operator has allowed."""

from __future__ import annotations

from ipaddress import ip_address, ip_network

import pytest

from api.webhook_address import find_url_problem, may_connect

LOOPBACK = (ip_network("127.0.0.0/8"), ip_network("::1/128"))


@pytest.mark.parametrize(
    "text",
    [
        "93.184.216.34",
        "2606:2800:220:1:248:1893:25c8:1946",
        pytest.param("64:ff9b::5db8:d822", id="public behind NAT64"),
        pytest.param("2002:5db8:d822::1", id="public behind 6to4"),
    ],
)
def test_public_addresses(text: str) -> None:
    """Public addresses need no setting."""
    assert may_connect(ip_address(text), ())


@pytest.mark.parametrize(
    "text",
    [
        "127.0.0.1",
        "10.1.2.3",
        "172.16.0.1",
        "192.168.0.1",
        "169.254.169.254",
        "100.64.0.1",
        "0.0.0.0",
        "224.0.0.1",
        "255.255.255.255",
        "240.0.0.1",
        "192.0.2.1",
        "198.18.0.1",
        "::",
        "::1",
        "fe80::1",
        "fe80::1%1",
        "fec0::1",
        "fd00::1",
        "ff02::1",
        "2001:db8::1",
        "::ffff:10.0.0.1",
        "::ffff:127.0.0.1",
        "::10.0.0.1",
        pytest.param("64:ff9b::a00:1", id="10.0.0.1 behind NAT64"),
        pytest.param("64:ff9b:1::a00:1", id="a NAT64 of one's own"),
        pytest.param("2002:a00:1::1", id="10.0.0.1 behind 6to4"),
        pytest.param("2001:0:a00:1::1", id="Teredo"),
    ],
)
def test_private_addresses(text: str) -> None:
    """All others are refused, also where IPv6 only wraps them, unless they are allowed."""
    address = ip_address(text)

    assert not may_connect(address, ())
    assert not may_connect(address, [ip_network("10.9.0.0/16")])
    assert may_connect(address, [ip_network(text.partition("%")[0])])


def test_an_allowed_address_in_any_form() -> None:
    """An allowed IPv4 address is allowed as IPv6 writes it, too."""
    assert may_connect(ip_address("::ffff:127.0.0.1"), LOOPBACK)


@pytest.mark.parametrize(
    "url",
    [
        "https://hooks.example.org",
        "https://hooks.example.org:8443/a/b?c=d&e=%20",
        "https://93.184.216.34/",
        "https://[2606:2800:220:1:248:1893:25c8:1946]/",
        "https://xn--bcher-kva.example/",
    ],
)
def test_good_urls(url: str) -> None:
    """A host of the public Internet, by HTTPS."""
    assert find_url_problem(url, ()) is None


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "[::1]"])
@pytest.mark.parametrize("scheme", ["http", "https"])
def test_this_machine(host: str, scheme: str) -> None:
    """This machine has to be allowed, and needs no TLS."""
    url = f"{scheme}://{host}:8080/hook"

    assert "private network" in (find_url_problem(url, ()) or "")
    assert find_url_problem(url, LOOPBACK) is None


@pytest.mark.parametrize(
    ("url", "problem"),
    [
        ("http://hooks.example.org/", "begins with 'https://'"),
        ("http://10.0.0.1/", "begins with 'https://'"),
        ("https://10.0.0.1/", "10.0.0.1 is an address of a private network"),
        ("https://[fd00::1]/", "private network"),
        ("https://169.254.169.254/latest", "private network"),
        ("ftp://hooks.example.org/", "begins with 'https://'"),
        ("hooks.example.org", "begins with 'https://'"),
        ("https://", "begins with 'https://'"),
        ("", "no spaces"),
        ("https:///path", "begins with 'https://'"),
        ("https://user:pass@hooks.example.org/", "neither a user name"),
        ("https://@hooks.example.org/", "neither a user name"),
        ("https://hooks.example.org/#part", "nor a fragment"),
        ("https://hooks.example.org/a b", "no spaces"),
        ("https://hooks.example.org/\r\nX: y", "no spaces"),
        ("https://bücher.example/", "beyond ASCII"),
        ("https://hooks.example.org:port/", "not a URL"),
        ("https://hooks.example.org:70000/", "not a URL"),
        ("https://[::1/", "not a URL"),
        (f"https://hooks.example.org/{'x' * 2_000}", "2,000 characters"),
    ],
)
def test_bad_urls(url: str, problem: str) -> None:
    """What a URL itself shows to be wrong is said."""
    assert problem in (find_url_problem(url, ()) or "")


def test_an_allowed_network_needs_tls() -> None:
    """Another machine is only sent to by HTTPS, however near it is."""
    allowed = [ip_network("10.0.0.0/8")]

    assert find_url_problem("https://10.0.0.1/", allowed) is None
    assert "'https://'" in (find_url_problem("http://10.0.0.1/", allowed) or "")
