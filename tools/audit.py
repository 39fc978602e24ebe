"""Examines every part of others: `make audit`. Exit status 1 when something is wrong.

Of each pinned package: pinned by hash, from no address, installed as pinned, under a licence that
goes with Apache-2.0. Of each browser file: the hash in its vendor.toml. Known weaknesses are asked
for by pip-audit where it is installed and can ask; where it cannot, that is said, and is no pass.
"""

import importlib.metadata
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from tools import vendor

ROOT = Path(__file__).resolve().parent.parent
LOCKS = ("requirements.lock", "requirements-dev.lock")
# What may be used beside Apache-2.0. Weak copyleft binds changes to the package itself only.
GOOD = re.compile(
    r"\b(mit|bsd|apache|isc|psf|python|mpl|zlib|unlicense|0bsd|lgpl|zope|hpnd|cnri|cc0|public"
    r"|historical|blueoak|artistic)",
    re.IGNORECASE,
)
BAD = re.compile(
    r"(?<!l)\b(agpl|gpl|gnu general|gnu affero|sspl|busl|proprietary|commercial)", re.IGNORECASE
)
# Those whose metadata do not say it, as their sources do.
SAID_ELSEWHERE = {"chargebee": "MIT"}  # the official client, for tests


def pins(text: str) -> dict[str, str]:
    """Name -> version of each package of a lock that is pinned with hashes."""
    entries = text.replace("\\\n", "").splitlines()
    found = (
        re.match(r"([\w.-]+)==([^\s;]+)[^#]*--hash=sha256:[0-9a-f]{64}", one) for one in entries
    )
    return {one[1].lower().replace("_", "-"): one[2] for one in found if one}


def loose(text: str) -> list[str]:
    """Lines of a lock that are pinned by nothing, or name an address."""
    entries = [one for one in text.replace("\\\n", "").splitlines() if one.strip()]
    return [
        one[:80] for one in entries
        if not one.startswith("#") and (not pins(one) or "://" in one or " @ " in one)
    ]  # fmt: skip


def licence(name: str) -> str | None:
    """What a package says of its licence; None: it is not installed here."""
    try:
        told = importlib.metadata.metadata(name)
    except importlib.metadata.PackageNotFoundError:
        return None
    named = (told.get_all("License-Expression"), told.get_all("License"))
    lines = [one[0][:200] for one in named if one]
    lines += [one for one in told.get_all("Classifier") or () if one.startswith("License ::")]
    return " / ".join(one for one in lines if one) or SAID_ELSEWHERE.get(name, "unknown")


def is_compatible(text: str) -> bool:
    """Whether a licence, or one that may be chosen, goes with Apache-2.0."""
    choices = re.split(r"\bor\b| / ", text, flags=re.IGNORECASE)
    return any(GOOD.search(one) and not BAD.search(one) for one in choices)


def problems(root: Path = ROOT) -> Iterator[str]:
    """What is wrong with the parts of others."""
    for lock in LOCKS:
        text = (root / lock).read_text()
        yield from (f"{lock}: not pinned by hash: {one}" for one in loose(text))
        for name, version in pins(text).items():
            found = licence(name)
            if found is None:  # for another system or Python
                continue
            if importlib.metadata.version(name) != version:
                yield f"{name} is {importlib.metadata.version(name)} here, pinned is {version}"
            if not is_compatible(found):
                yield f"{name}: its licence is {found}"
    for path in vendor.lists():
        wanted = vendor.wanted(path)
        held = {name: (path.parent / name).read_bytes() for name in wanted["files"]}
        wrong = vendor.differing(wanted["files"], held)
        yield from (f"{path.relative_to(root)}: {name} is another file" for name in wrong)


def known_weaknesses() -> tuple[bool, str]:
    """(whether it is wrong, what to say) of pip-audit's answer."""
    if shutil.which("pip-audit") is None:
        return False, "Known weaknesses: NOT EXAMINED, pip-audit is not installed."
    command = ["pip-audit", "--strict", "--require-hashes", "-r", str(ROOT / LOCKS[0])]
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - fixed words
    if done.returncode == 0:
        return False, "Known weaknesses: none."
    if "found" in done.stdout.lower() or "found" in done.stderr.lower():
        return True, done.stdout + done.stderr
    return False, f"Known weaknesses: NOT EXAMINED, nobody could be asked.\n{done.stderr[-300:]}"


def main() -> int:
    wrong = list(problems())
    sys.stdout.writelines(f"{one}\n" for one in wrong)
    is_weak, told = known_weaknesses()
    number = len(pins((ROOT / LOCKS[1]).read_text()))
    sys.stdout.write(f"{number} packages, {len(vendor.lists())} lists of files. {told}\n")
    return 1 if wrong or is_weak else 0


if __name__ == "__main__":
    sys.exit(main())
