"""Where a request comes from, as far as it can be believed."""

from ipaddress import IPv4Address, ip_address, ip_network

from django.conf import settings
from django.http import HttpRequest

# Whoever has one IPv6 address has all of its network
IPV6_NETWORK_BITS = 64


def address_of(request: HttpRequest) -> str:
    """The client's address: IPv4, or the /64 network of an IPv6 one; empty where there is none.

    Each proxy adds the address it was called from at the right of X-Forwarded-For. With MAR_PROXIES proxies
    of our own the entry that far from the right is true; what stands left of it is anybody's claim.
    """
    forwarded = request.META.get("HTTP_X_FORWARDED_FOR", "").split(",")
    proxies: int = settings.MAR_PROXIES
    told = forwarded[-proxies] if 0 < proxies <= len(forwarded) else ""
    return network_of(told) or network_of(request.META.get("REMOTE_ADDR") or "")


def network_of(text: str) -> str:
    """An address in one spelling, without port or zone; empty where it is none."""
    try:
        address = ip_address(without_port(text.strip()).partition("%")[0])
    except ValueError:
        return ""
    if isinstance(address, IPv4Address):
        return str(address)
    if address.ipv4_mapped is not None:
        return str(address.ipv4_mapped)
    return str(ip_network((address, IPV6_NETWORK_BITS), strict=False))


def without_port(text: str) -> str:
    """`192.0.2.1:80` and `[2001:db8::1]:80` without what follows the address."""
    if text.startswith("["):
        return text[1:].partition("]")[0]
    return text.partition(":")[0] if text.count(":") == 1 else text
