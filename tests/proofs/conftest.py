"""Failed assertions of the machine say what they compared, as those of tests do."""

import pytest

pytest.register_assert_rewrite("tests.proofs.machine_base")
