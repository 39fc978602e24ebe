from datetime import UTC, datetime, timedelta

import pytest

from rewards_service.chargebee.idempotency import IdempotencyKey, fresh_key

NOON = datetime(2026, 3, 10, 12, 0, tzinfo=UTC)


class TestIdempotencyKey:
    def test_chargebee_knows_it_for_30_minutes(self) -> None:
        key = IdempotencyKey("k", NOON)

        assert key.covers(NOON + timedelta(minutes=29, seconds=59))
        assert not key.covers(NOON + timedelta(minutes=30))

    @pytest.mark.parametrize("value", ["", "x" * 101, "a\nb", "ü", "a\x00"])
    def test_it_fits_a_header(self, value: str) -> None:
        assert not IdempotencyKey(value, NOON).is_lawful

    def test_fresh_ones_differ(self) -> None:
        keys = {fresh_key(NOON).value for _ in range(100)}

        assert len(keys) == 100
        assert fresh_key(NOON).is_lawful
