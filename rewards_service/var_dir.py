"""The folder of an embedded run: made for its owner alone, with the secrets that are kept in it."""

import os
import secrets
from pathlib import Path


class SettingsError(Exception):
    """The environment does not describe a service that can run; the text says what to change."""


def kept(var_dir: Path, name: str, fresh: str) -> str:
    """The secret kept in VAR_DIR under `name`; `fresh` becomes it when there is none yet.

    Several processes may start at once: the file appears whole or not at all, and the first wins.
    Raises SettingsError when the folder is not ours to write, or the file is empty.
    """
    path = var_dir / name
    make_folder(var_dir)
    try:
        if not path.exists():
            _write_first(path, fresh)
        value = path.read_text().strip()
    except OSError as error:
        raise _unusable(path, error) from error
    if not value:
        raise SettingsError(f"{path} is empty. Put the key back, or delete the file.")
    return value


def noted(var_dir: Path, name: str) -> str | None:
    """What a process noted in VAR_DIR for the commands beside it; None when it did not."""
    try:
        return (var_dir / name).read_text().strip() or None
    except OSError:
        return None


def make_folder(var_dir: Path) -> None:
    """The folder, readable for its owner only. Raises SettingsError."""
    try:
        var_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise _unusable(var_dir, error) from error


def _unusable(path: Path, error: OSError) -> SettingsError:
    return SettingsError(
        f"{path} cannot be read or written ({error.strerror}). "
        "Point VAR_DIR to a folder of your own."
    )


def _write_first(path: Path, content: str) -> None:
    draft = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with open(descriptor, "w") as file:
            file.write(content + "\n")
            file.flush()
            os.fsync(file.fileno())
        os.link(draft, path)
    except FileExistsError:
        pass  # another process was first; its key counts
    finally:
        draft.unlink()
