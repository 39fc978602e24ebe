"""Fetches the files that others made and we serve, by their name on npm, and checks their hashes.

vendor.toml names package, version, licence and the SHA-256 of each file. --accept takes over what
came instead, for another version: then look at the difference before committing.
"""

import subprocess
import sys
import tarfile
import tomllib
from hashlib import sha256
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

FOLDER = Path(__file__).resolve().parent.parent / "rewards_service/openapi/swagger"
LIST = FOLDER / "vendor.toml"


def wanted() -> dict[str, Any]:
    """What vendor.toml says: name, version, licence, and `files`, name -> SHA-256."""
    return tomllib.loads(LIST.read_text())


def differing(files: dict[str, str], found: dict[str, bytes]) -> list[str]:
    """The names whose bytes are missing or others than the hashes say."""
    return [
        name
        for name, digest in files.items()
        if name not in found or sha256(found[name]).hexdigest() != digest
    ]


def fetched(package: str, names: list[str]) -> dict[str, bytes]:
    """Files of a package, as npm packs it."""
    with TemporaryDirectory() as folder:
        command = ["npm", "pack", package, "--pack-destination", folder, "--silent"]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)  # noqa: S603 - ours
        (packed,) = Path(folder).glob("*.tgz")
        with tarfile.open(packed) as archive:
            members = {name: archive.extractfile(f"package/{name}") for name in names}
            return {name: member.read() for name, member in members.items() if member}


def rewritten(text: str, found: dict[str, bytes]) -> str:
    """vendor.toml with the hashes of what was found."""
    head = text.partition("[files]\n")[0]
    lines = [f'"{name}" = "{sha256(body).hexdigest()}"\n' for name, body in found.items()]
    return f"{head}[files]\n{''.join(lines)}"


def main() -> int:
    known = wanted()
    found = fetched(f"{known['name']}@{known['version']}", list(known["files"]))
    if "--accept" in sys.argv[1:]:
        LIST.write_text(rewritten(LIST.read_text(), found))
    elif others := differing(known["files"], found):
        print(f"Not as vendor.toml says, nothing was written: {', '.join(others)}", file=sys.stderr)
        return 1
    for name, body in found.items():
        (FOLDER / name).write_bytes(body)
    print(f"{known['name']} {known['version']}: {len(found)} files")
    return 0


if __name__ == "__main__":
    sys.exit(main())
