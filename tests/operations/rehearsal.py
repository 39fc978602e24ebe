"""A release that is not there yet: this code with one more migration, of every step we allow."""

import shutil
from pathlib import Path

from rewards_service.kit.migrate import newest_revision
from tests.operations.fleet import ROOT

REVISION = "9000"
COLUMN = "rehearsed"
INDEX = "ix_received_events_rehearsed"
RULE = "ck_received_events_rehearsed"
_MIGRATION = f'''"""a rehearsal"""

import sqlalchemy as sa
from alembic import op

from rewards_service.kit import schema

revision = "{REVISION}"
down_revision = "{{newest}}"
branch_labels = None
depends_on = None


def upgrade() -> None:
    schema.add_column("received_events", sa.Column("{COLUMN}", sa.Boolean()))
    schema.build_index("{INDEX}", "received_events", ["{COLUMN}", "id"])
    schema.add_rule("{RULE}", "received_events", "attempts >= 0")


def downgrade() -> None:
    schema.remove_index("{INDEX}", "received_events")
    op.drop_column("received_events", "{COLUMN}")
'''


def next_release(folder: Path) -> Path:
    """The tree of that release, in `folder`."""
    for part in ("rewards_service", "migrations"):
        shutil.copytree(ROOT / part, folder / part, ignore=shutil.ignore_patterns("__pycache__"))
    add_migration(folder / "migrations" / "versions")
    return folder


def add_migration(versions: Path) -> None:
    (versions / "9000_a_rehearsal.py").write_text(_MIGRATION.format(newest=newest_revision()))
