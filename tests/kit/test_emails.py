import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rewards_service.kit import emails
from rewards_service.kit.emails import BadEmail, is_folded, loose_key, strict_key

SURROGATE = "\ud800"
addresses = st.text(
    st.characters(exclude_categories=("Cs", "Cc"), max_codepoint=0x2FFFF), max_size=30
)
plain = st.from_regex(r"[a-z0-9._%+'/=?^{}|~!#$&*`-]{1,12}@[a-z0-9.-]{1,20}", fullmatch=True)


class TestStrictKey:
    @pytest.mark.parametrize(
        ("email", "key"),
        [
            ("ada@example.com", "ada@example.com"),
            ("  Ada@Example.COM\n", "ada@example.com"),
            ("\u00a0\u2003ada@example.com\u3000", "ada@example.com"),
            ("Jörg.Müller@BÜCHER.example", "jörg.müller@xn--bcher-kva.example"),
            ("jörg@xn--bcher-kva.example", "jörg@xn--bcher-kva.example"),
            ("a@b@Example.com", "a@b@example.com"),
            ("a\uff20example.com", "a@example.com"),
            ("\u212aelvin@example.com", "kelvin@example.com"),
            ("ada@Example_1.com", "ada@example_1.com"),
            ("Ada", "ada"),
            ("@", "@"),
        ],
    )
    def test_two_spellings_of_an_address_share_it(self, email: str, key: str) -> None:
        """DOMAIN E1, E3."""
        assert strict_key(email) == key

    @pytest.mark.parametrize("mark", ["\u200b", "\u200c", "\u200d", "\u2060", "\ufeff", "\u00ad"])
    def test_invisible_characters_do_not_count(self, mark: str) -> None:
        """DOMAIN E1, E3: NFKC alone leaves U+200B where it is."""
        assert strict_key(f"{mark}a{mark}da@exam{mark}ple.com{mark}") == "ada@example.com"

    def test_the_domain_is_never_folded(self) -> None:
        """DOMAIN E2: IDNA 2008; fass.de is another registrable domain."""
        assert strict_key("a@faß.de") == "a@xn--fa-hia.de"
        assert strict_key("a@FASS.de") == "a@fass.de"
        assert strict_key("a@MÜLLER.DE") == "a@xn--mller-kva.de"

    def test_the_local_part_is_folded(self) -> None:
        """DOMAIN E3: straße@ is strasse@, but the Turkish dotless i is not i."""
        assert strict_key("Straße@x.example") == strict_key("STRASSE@x.example")
        assert strict_key("ı@x.example") != strict_key("i@x.example")

    def test_dots_and_tags_count(self) -> None:
        """DOMAIN E4: never merged for attribution."""
        assert strict_key("a.da+x@gmail.com") == "a.da+x@gmail.com"

    def test_a_look_alike_is_another_person(self) -> None:
        assert strict_key("\u0430da@example.com") != strict_key("ada@example.com")

    @pytest.mark.parametrize("email", [None, "", " ", "\t\n", "\u200b", "\u3000\ufeff"])
    def test_nothing_has_no_key(self, email: str | None) -> None:
        """DOMAIN E1: null, absent or blank."""
        assert strict_key(email) is None

    @pytest.mark.parametrize(
        "email", ["a\x00da@x.example", "a\nb@x.example", "a@x\x7f.example", f"a{SURROGATE}@x.e",
                  "\x00", f"ada@{SURROGATE}", "a\u0085b@x.example"],
    )  # fmt: skip
    def test_control_characters_and_lone_surrogates_are_refused(self, email: str) -> None:
        """DOMAIN E1."""
        with pytest.raises(BadEmail):
            strict_key(email)

    @given(plain)
    def test_the_short_cut_for_plain_addresses_changes_nothing(self, email: str) -> None:
        """DOMAIN E1: the whole way gives the same key."""
        local, at, domain = email.rpartition("@")
        assert strict_key(email) == f"{local.casefold()}{at}{emails._ascii_domain(domain)}"

    @given(addresses)
    def test_any_text_has_a_key_that_an_index_can_hold(self, email: str) -> None:
        key = strict_key(email)

        assert key is None or 1 <= len(key) <= emails.LONGEST_KEY
        assert key is None or not any(unicodedata.category(c) in ("Cc", "Cs") for c in key)

    @given(addresses)
    def test_spaces_case_of_ascii_and_invisible_marks_change_nothing(self, email: str) -> None:
        key = strict_key(email)

        assert strict_key(f" \u200b{email}\ufeff\t") == key

    @pytest.mark.parametrize("part", ["ü", "ﷺ", "a@", "\u0301", "xn--a."])
    def test_a_text_of_any_length_has_a_short_key(self, part: str) -> None:
        key = strict_key(f"a@{part * (2**18 // len(part))}")

        assert key is not None
        assert len(key) <= emails.LONGEST_KEY

    def test_long_addresses_stay_apart(self) -> None:
        first, second = ("a" * 500 + f"{end}@x.example" for end in "12")

        assert strict_key(first) != strict_key(second)
        assert strict_key(first) == strict_key(first.upper())


class TestLooseKey:
    @pytest.mark.parametrize(
        ("email", "key"),
        [
            ("A.da+news@GoogleMail.com", "ada@gmail.com"),
            ("a.da+news@example.com", "a.da@example.com"),
            ("ada@example.com", "ada@example.com"),
            (None, None),
            ("", None),
        ],
    )
    def test_drops_tags_everywhere_and_dots_at_gmail(
        self, email: str | None, key: str | None
    ) -> None:
        """DOMAIN E4."""
        assert loose_key(email) == key

    @given(addresses)
    def test_addresses_with_one_strict_key_have_one_loose_key(self, email: str) -> None:
        """DOMAIN E4: the loose key only ever merges more."""
        assert loose_key(strict_key(email)) == loose_key(email)


class TestIsFolded:
    @pytest.mark.parametrize("email", ["straße@one.example", "ΟΔΟΣ@one.example"])
    def test_folding_that_did_more_than_lower_the_case(self, email: str) -> None:
        """DOMAIN E3."""
        assert is_folded(email)

    @pytest.mark.parametrize(
        "email", [None, "", "ADA@ONE.example", "JÖRG@one.example", "ada@faß.de", "ı@one.example"]
    )
    def test_other_spellings_are_plain(self, email: str | None) -> None:
        """DOMAIN E2, E3: dotless i is not merged; the domain has rules of its own."""
        assert not is_folded(email)
