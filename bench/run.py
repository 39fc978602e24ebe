"""Measure everything and write docs/benchmarks.md: `make bench`; `--short` takes four minutes.

What each part found is kept in `bench` in VAR_DIR: `--only latency,page` measures these two again
and writes the document with what the others found before. Without the full length nothing of the
documentation is touched: the report is printed.
"""

import argparse
import json
import os
import sys
import time
import traceback
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from bench import machine, report
from bench.parts import LENGTHS, PARTS
from bench.peers import install
from rewards_service.kit import log

DOCUMENT = Path(__file__).parent.parent / "docs" / "benchmarks.md"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--short", dest="length", action="store_const", const="short")
    parser.add_argument("--tiny", dest="length", action="store_const", const="tiny",
                        help="only to see that it works")  # fmt: skip
    parser.add_argument("--only", default=",".join(PARTS), help="parts, with commas")
    parser.add_argument("--no-peers", action="store_true", help="install and run no peers")
    parser.add_argument("--report", action="store_true", help="only write what was found")
    options = parser.parse_args()
    name = options.length or "full"
    wanted = [] if options.report else options.only.split(",")
    if unknown := set(wanted) - set(PARTS):
        parser.error(f"There is no part {', '.join(sorted(unknown))}: {', '.join(PARTS)}.")
    kept = install.folder() / f"found-{name}.json"
    found = json.loads(kept.read_text()) if kept.exists() else {}
    with Path(os.devnull).open("w") as nowhere:
        log.configure("json", nowhere)  # of drains in this process: long, and no figure
        for part in wanted:
            found.pop(part, None)
            try:
                found[part] = _measured(part, name, not options.no_peers)
            except (Exception, SystemExit):
                traceback.print_exc()  # the others are measured all the same
            kept.write_text(json.dumps(found, indent=1))
    text = report.document(found)
    print(text)
    if name == "full" and set(found) == set(PARTS):
        DOCUMENT.write_text(text)
    if failed := [part for part in wanted if part not in found]:
        sys.exit(f"Not measured: {', '.join(failed)}; see above. The document stays as it was.")


def _measured(part: str, length: str, with_peers: bool) -> dict[str, Any]:
    before, began = machine.load(), time.monotonic()
    print(f"{datetime.now(UTC):%H:%M:%S} {part}: {PARTS[part].what}", flush=True)
    found = PARTS[part].measure(LENGTHS[length], with_peers)
    took = time.monotonic() - began
    at = datetime.now(UTC).isoformat(timespec="minutes")
    return {"at": at, "load": [before, machine.load()], "took_s": round(took), "found": found}


if __name__ == "__main__":
    main()
