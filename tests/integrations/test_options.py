from itertools import product

import pytest

from rewards_service.integrations.options import Options

COMBINATIONS = list(product((False, True), repeat=3))


class TestIsLawful:
    @pytest.mark.parametrize("switches", COMBINATIONS)
    def test_a_transaction_needs_one_of_the_other_two(
        self, switches: tuple[bool, bool, bool]
    ) -> None:
        """DOMAIN M12: only 001 is invalid."""
        assert Options(*switches).is_lawful is (switches != (False, False, True))


class TestAllOff:
    @pytest.mark.parametrize("switches", COMBINATIONS)
    def test_nothing_is_wanted_when_every_switch_is_off(
        self, switches: tuple[bool, bool, bool]
    ) -> None:
        """DOMAIN M12: 000."""
        assert Options(*switches).all_off is (switches == (False, False, False))
        assert Options(*switches, mode="observe").all_off is not any(switches)

    @pytest.mark.parametrize("switches", COMBINATIONS)
    def test_nothing_is_wanted_in_mode_off(self, switches: tuple[bool, bool, bool]) -> None:
        assert Options(*switches, mode="off").all_off
