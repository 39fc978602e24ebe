from datetime import UTC, datetime

from sqlalchemy import Engine, text

from rewards_service.kit import partitions
from tests.cli.conftest import Rewards, read


class TestPartitions:
    def test_they_are_listed_and_doctor_says_what_is_missing(
        self, rewards: Rewards, engine: Engine
    ) -> None:
        listed = read(rewards("partitions", "list", "--json"))["partitions"]
        if engine.dialect.name != "postgresql":
            assert listed == []
            answer = rewards("partitions", "make")
            assert (answer.exit_code, "no parts" in answer.output) == (2, True)
            return
        assert [part["net"] for part in listed] == [False] * (len(listed) - 1) + [True]
        assert all(part["attached"] for part in listed)
        month = partitions.months_ahead(datetime.now(UTC).date())[1]
        name = partitions.month_name("audit_entries", month)
        with engine.begin() as connection:
            connection.execute(text(f"DROP TABLE IF EXISTS {name}"))
        checks = read(rewards("doctor", "--offline", "--json"))["checks"]
        (found,) = (check for check in checks if check["id"] == "partitions")
        is_needed = name in str(listed)
        assert found["ok"] is not is_needed

        tried = read(rewards("partitions", "make", "--dry-run", "--json"))
        made = read(rewards("partitions", "make", "--json"))
        assert made["made"] == tried["made"] == ([name] if is_needed else [])
        assert read(rewards("partitions", "make", "--json"))["made"] == []

        (first, *_) = listed
        answer = rewards("partitions", "detach", first["name"])
        assert (answer.exit_code, "not over yet" in answer.output) == (1, True)
