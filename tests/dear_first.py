"""The order of a run on several workers: what takes longest begins at once, each in its lane.

`--dist worksteal` gives each worker one stretch of the tests; who is done takes from the end of
the longest stretch. Begun last, the longest would keep one worker busy while the others are idle;
strewn about, each worker would start a browser, and a site for each module, of its own.
"""

from collections.abc import Sequence

LANES: tuple[tuple[str, ...], ...] = (
    ("tests/browser/",),
    (
        "tests/proofs/test_money_machine.py", "tests/proofs/test_permutations.py",
        "tests/rewards/test_whole_service.py", "tests/test_story.py",
    ),
    (
        "tests/cli/test_run.py", "tests/cli/test_demo.py", "tests/test_sudden_ends.py",
        "tests/history/test_sudden_ends.py", "tests/chargebee/test_beside_simulator.py",
        "tests/openapi/test_generated_client.py", "tests/openapi/test_fuzzing.py",
        "tests/test_api_hostile_input.py",
    ),
)  # fmt: skip


def deal(names: Sequence[str], workers: int) -> list[int]:
    """In which order to run tests of these names (node ids): places in `names`, each once."""
    if workers < 2:
        return list(range(len(names)))
    lanes = [[n for n, name in enumerate(names) if name.startswith(lane)] for lane in LANES]
    dear = {n for lane in lanes for n in lane}
    others = [n for n in range(len(names)) if n not in dear]
    order: list[int] = []
    for worker in range(workers):
        head = [n for lane in lanes[worker::workers] for n in lane]
        stretch = (len(names) - len(order)) // (workers - worker)
        more = max(stretch - len(head), 0) if worker < workers - 1 else len(others)
        order += head + others[:more]
        del others[:more]
    return order
