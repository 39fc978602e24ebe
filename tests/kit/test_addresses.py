import pytest
from hypothesis import given
from hypothesis import strategies as st

from rewards_service.kit.addresses import Refused, parse_address, why_refused

# What one parser or resolver or another takes for an address of this machine or of the inside.
ODD = [
    "https://0x7f000001/", "https://2130706433/", "https://0177.0.0.1/", "https://127.1/",
    "https://127.0.0.0x1/", "https://0x7f.0.0.1/", "https://017700000001/", "https://1.2.3.4.5/",
    "https://256.1.1.1/", "https://example.com./", "https://127.0.0.1./", "https://localhost./",
    "https://user@example.com/", "https://user:pass@example.com/", "https://@example.com/",
    "https://127.0.0.1#@example.com/", "https://example.com#fragment", "https://example.com\\@x/",
    "https://exa mple.com/", "https://example.com/\r\nX: y", "https://example.com\t/",
    "https:///path", "https://", "https:example.com", "//example.com/", "example.com",
    "http://example.com/", "ftp://example.com/", "file:///etc/passwd", "javascript:alert(1)",
    "gopher://example.com/", "https://[::1/", "https://[fe80::1%25eth0]/", "https://[v1.x]/",
    "https://example.com:0/", "https://example.com:/", "https://example.com:99999/",
    "https://example.com:x/", "https://.example.com/", "https://a..b/", "https://-a.example/",
    "https://exa%6dple.com/", "https://example.com/\u00e4", "https://" + "a" * 64 + ".example/",
    "https://example.com/" + "a" * 2_000, "https://\uff11\uff12\uff17.1/", "https://*.example.com/",
]  # fmt: skip

INSIDE = [
    "127.0.0.1", "127.255.255.254", "0.0.0.1", "10.0.0.1", "172.16.0.1", "172.31.255.255",
    "192.168.1.1", "169.254.169.254", "100.64.0.1", "100.127.255.255", "192.0.0.1", "192.0.2.1",
    "198.18.0.1", "198.51.100.1", "203.0.113.1", "224.0.0.1", "239.255.255.255", "240.0.0.1",
    "255.255.255.255", "192.88.99.1", "::1", "::", "fe80::1", "fe80::1%eth0", "fc00::1",
    "fd00:ec2::254", "ff02::1", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "::ffff:8.8.8.8",
    "::127.0.0.1", "64:ff9b::7f00:1", "64:ff9b::808:808", "64:ff9b:1::1", "2002:7f00:1::",
    "2001::1", "2001:db8::1", "3fff::1", "100::1", "4000::1", "not an address", "",
]  # fmt: skip


class TestParseAddress:
    @pytest.mark.parametrize("url", ODD)
    def test_what_is_not_spelled_in_the_one_plain_way_is_refused(self, url: str) -> None:
        with pytest.raises(Refused):
            parse_address(url)

    @pytest.mark.parametrize(
        ("url", "host", "plain"),
        [
            ("https://Example.COM", "example.com", "https://example.com/"),
            ("https://example.com:443/a?b=c", "example.com", "https://example.com/a?b=c"),
            ("https://example.com:8443/a%20b", "example.com", "https://example.com:8443/a%20b"),
            ("https://b\u00fccher.example/", "xn--bcher-kva.example", None),
            ("https://[2606:4700::1111]/", "2606:4700::1111", "https://[2606:4700::1111]/"),
            ("https://8.8.8.8/", "8.8.8.8", "https://8.8.8.8/"),
            ("https://\u24c1ocalhost/", "localhost", None),  # checked by where it leads
        ],
    )
    def test_a_name_has_one_spelling(self, url: str, host: str, plain: str | None) -> None:
        found = parse_address(url)

        assert (found.host, found.url) == (host, plain or f"https://{host}/")
        assert parse_address(found.url) == found

    def test_http_is_for_development_on_this_machine(self) -> None:
        for host in ("127.0.0.1", "localhost", "[::1]"):
            assert parse_address(f"http://{host}:9000/x", loopback=True).port == 9000
        for host in ("example.com", "8.8.8.8", "10.0.0.1", "localhost.example.com"):
            with pytest.raises(Refused):
                parse_address(f"http://{host}/", loopback=True)

    @given(st.text(max_size=40), st.sampled_from(["", "https://", "https://a.example"]))
    def test_any_text_is_an_address_or_refused(self, text: str, before: str) -> None:
        try:
            found = parse_address(before + text)
        except Refused:
            return

        assert parse_address(found.url) == found


class TestWhyRefused:
    @pytest.mark.parametrize("address", INSIDE)
    def test_what_is_not_of_the_public_internet_is_refused(self, address: str) -> None:
        assert why_refused(address) is not None

    @pytest.mark.parametrize("address", ["8.8.8.8", "172.32.0.1", "2606:4700::1111", "100.128.0.1"])
    def test_public_addresses_are_called(self, address: str) -> None:
        assert why_refused(address) is None

    @pytest.mark.parametrize("address", [one for one in INSIDE if one not in ("127.0.0.1",
                             "127.255.255.254", "::1")])  # fmt: skip
    def test_in_development_this_machine_is_called_and_no_other(self, address: str) -> None:
        assert why_refused("127.0.0.1", "http", loopback=True) is None
        assert why_refused(address, "http", loopback=True) is not None
        assert why_refused(address, "https", loopback=True) is not None
        assert why_refused("8.8.8.8", "http", loopback=True) is not None
