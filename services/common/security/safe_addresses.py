"""Which addresses a request of somebody else's choosing may go to: the public internet, and nothing beside it."""

import ipaddress

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
UNICAST_6 = ipaddress.ip_network("2000::/3")

# (network, what it is). Wider than ipaddress.is_global, which changed between patch releases.
CLOSED = tuple(
    (ipaddress.ip_network(network), name)
    for network, name in (
        ("0.0.0.0/8", "this network"),
        ("10.0.0.0/8", "private"),
        ("100.64.0.0/10", "shared by a carrier"),
        ("127.0.0.0/8", "loopback"),
        ("168.63.129.16/32", "metadata of a cloud"),
        ("169.254.0.0/16", "link-local"),
        ("172.16.0.0/12", "private"),
        ("192.0.0.0/24", "reserved"),
        ("192.0.2.0/24", "documentation"),
        ("192.88.99.0/24", "a relay between IPv6 and IPv4"),
        ("192.168.0.0/16", "private"),
        ("198.18.0.0/15", "for benchmarks"),
        ("198.51.100.0/24", "documentation"),
        ("203.0.113.0/24", "documentation"),
        ("224.0.0.0/4", "multicast"),
        ("240.0.0.0/4", "reserved"),
        ("::1/128", "loopback"),
        ("::ffff:0:0/96", "IPv4 inside IPv6"),
        ("64:ff9b::/96", "a translation to IPv4"),
        ("64:ff9b:1::/48", "a translation to IPv4"),
        ("2001::/23", "reserved"),
        ("2001:db8::/32", "documentation"),
        ("2002::/16", "IPv4 inside IPv6"),
        ("3fff::/20", "documentation"),
        ("fc00::/7", "private"),
        ("fe80::/10", "link-local"),
        ("fec0::/10", "private"),
        ("ff00::/8", "multicast"),
    )
)


def literal(host: str) -> Address | None:
    """The address a host is when it is written as one; None for a name."""
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        return None


def closed_because(address: Address) -> str:
    """What kind of closed address it is; empty for one of the public internet."""
    for network, name in CLOSED:
        if address in network:
            return name
    if address.version == 6 and (address not in UNICAST_6 or address.scope_id):
        return "reserved"
    return "" if address.is_global else "reserved"
