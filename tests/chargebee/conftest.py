from collections.abc import Iterator

import pytest

from tests.peers.prism import UNAVAILABLE, Prism, can_run


@pytest.fixture(scope="session")
def prism(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Prism]:
    """Chargebee's API as its description has it; skipped where node and npm are missing."""
    if not can_run():
        pytest.skip(UNAVAILABLE)
    mock = Prism(tmp_path_factory.mktemp("prism"))
    mock.start()
    yield mock
    mock.stop()
