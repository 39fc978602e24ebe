"""Fetches the files that others made and we serve, by their name on npm, and checks their hashes.

Each vendor.toml names one package, its version and licence, and the SHA-256 of each file beside it.
--accept takes over what came instead, for another version: then look at the difference before
committing.
"""

import subprocess
import sys
import tarfile
import tomllib
from hashlib import sha256
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
NAME = "vendor.toml"


def lists() -> list[Path]:
    """Every vendor.toml of the project."""
    return sorted(
        path for place in ("rewards_service", "tests") for path in (ROOT / place).rglob(NAME)
    )


def wanted(path: Path) -> dict[str, Any]:
    """What one vendor.toml says: name, version, licence, and `files`, name -> SHA-256."""
    return tomllib.loads(path.read_text())


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


def held(path: Path) -> dict[str, bytes]:
    """The files that are there for one vendor.toml, by the names it gives them."""
    folder = path.parent
    return {name: (folder / name).read_bytes() for name in wanted(path)["files"]
            if (folder / name).is_file()}  # fmt: skip


def main() -> int:
    return max(_bring(path, "--accept" in sys.argv[1:]) for path in lists())


def _bring(path: Path, accept: bool) -> int:
    known = wanted(path)
    found = fetched(f"{known['name']}@{known['version']}", list(known["files"]))
    if accept:
        path.write_text(rewritten(path.read_text(), found))
    elif others := differing(known["files"], found):
        print(f"Not as {path} says, nothing was written: {', '.join(others)}", file=sys.stderr)
        return 1
    for name, body in found.items():
        (path.parent / name).parent.mkdir(parents=True, exist_ok=True)
        (path.parent / name).write_bytes(body)
    print(f"{known['name']} {known['version']}: {len(found)} files")
    return 0


if __name__ == "__main__":
    sys.exit(main())
