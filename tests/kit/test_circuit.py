"""Redis is left alone while it is away."""

from redis.exceptions import ConnectionError

from rewards_service.kit.circuit import Circuit


def away() -> int:
    raise ConnectionError("nobody there")


class TestAsk:
    def test_after_a_failure_nobody_asks_for_a_while(self) -> None:
        circuit = Circuit(5.0, "it goes on")

        assert circuit.ask(lambda: 1, 0.0) == 1
        assert circuit.ask(away, 1.0) is None
        assert circuit.ask(lambda: 1, 5.9) is None
        assert circuit.ask(lambda: 1, 6.0) == 1

    def test_then_one_tries_for_all(self) -> None:
        circuit = Circuit(5.0, "it goes on")
        circuit.ask(away, 0.0)
        others: list[object] = []

        def answer() -> int:
            others.append(circuit.ask(lambda: 2, 5.1))  # while the first waits for its answer
            return 1

        assert circuit.ask(answer, 5.0) == 1
        assert others == [None]
        assert circuit.ask(lambda: 3, 5.2) == 3
