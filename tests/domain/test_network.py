"""Which hosts a run may reach, and which addresses are the internet's."""

import pytest

from workbench.domain.network import Host, allows, is_public, read_host
from workbench.errors import InvalidRequest


@pytest.mark.parametrize(
    ("text", "name", "ports"),
    [
        ("api.example.org", "api.example.org", {80, 443}),
        (" API.Example.ORG ", "api.example.org", {80, 443}),
        ("api.example.org:8443", "api.example.org", {8443}),
        ("192.0.2.7", "192.0.2.7", {80, 443}),
        ("localhost:80", "localhost", {80}),
        ("xn--bcher-kva.example", "xn--bcher-kva.example", {80, 443}),
    ],
)
def test_a_host_is_a_name_and_perhaps_a_port(text, name, ports):
    assert read_host(text) == Host(name=name, ports=frozenset(ports))


@pytest.mark.parametrize(
    "text",
    [
        "", ".", "a..b", "-a.org", "a-.org", "*.org", "https://a.org", "a.org/x", "a.org:", "a b",
        "a.org:x", "a.org:0", "a.org:65536", "a" * 64, ".".join(["a" * 60] * 5), "[::1]", "::1",
        "bücher.example", "a.org\nb.org", "user@a.org",
    ],
)  # fmt: skip
def test_what_is_no_host_is_refused(text):
    with pytest.raises(InvalidRequest):
        read_host(text)


def test_only_what_is_named_is_allowed_and_only_on_its_ports():
    hosts = [read_host("a.org"), read_host("b.org:8443")]

    assert allows(hosts, "A.org.", 443)
    assert allows(hosts, "b.org", 8443)
    for name, port in [("a.org", 22), ("b.org", 443), ("x.a.org", 443), ("aa.org", 443), ("", 80)]:
        assert not allows(hosts, name, port)


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1", "127.9.9.9", "0.0.0.0", "10.1.2.3", "172.16.0.1", "192.168.1.1",
        "169.254.169.254", "100.64.0.1", "100.100.100.200", "224.0.0.1", "255.255.255.255",
        "240.0.0.1", "192.0.2.1", "198.18.0.1", "::", "::1", "fe80::1", "fe80::1%eth0", "fc00::1",
        "fd00:ec2::254", "ff02::1", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "64:ff9b::7f00:1",
        "2002:7f00:1::", "::127.0.0.1", "2001:db8::1", "fec0::1",
    ],
)  # fmt: skip
def test_an_address_that_is_not_the_internets_is_not_public(address):
    assert not is_public(address)


@pytest.mark.parametrize("address", ["1.1.1.1", "93.184.216.34", "2606:4700::1111"])
def test_an_address_of_the_internet_is_public(address):
    assert is_public(address)
