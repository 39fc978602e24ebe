"""chain the audit log

Entries are numbered without gaps and sealed by a hash over the entry and the hash before it; one
row says where the log ends. The database refuses to change an entry or to move the end back.
"""

import sqlalchemy as sa
from alembic import op

import rewards_service.kit.db
from rewards_service.audit.chain import GENESIS, Sealed, seal
from rewards_service.kit.guards import guard, unguard

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

PAGE = 1_000
INDEXED = ("actor", "action", "at")
REFUSE_RETREAT = """
CREATE FUNCTION refuse_retreat() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'UPDATE' AND NEW.id = OLD.id AND NEW.last_id > OLD.last_id THEN
        RETURN NEW;
    END IF;
    RAISE EXCEPTION 'audit_head only moves forward: the audit log is append-only.'
        USING ERRCODE = 'restrict_violation';
END $$
"""


def upgrade() -> None:
    head = op.create_table(
        "audit_head",
        sa.Column(
            "id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=False,
            nullable=False,
        ),
        sa.Column("last_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("hash", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit_head")),
    )
    op.add_column("audit_entries", sa.Column("reason", sa.String(), nullable=True))
    for name in ("previous_hash", "hash"):
        op.add_column(
            "audit_entries",
            sa.Column(name, sa.LargeBinary(), server_default="", nullable=False),
        )
    for name in INDEXED:
        op.create_index(op.f(f"ix_audit_entries_{name}"), "audit_entries", [name], unique=False)
    last, hashed = _chain()
    op.bulk_insert(head, [{"id": 1, "last_id": last, "hash": hashed}])
    if op.get_bind().dialect.name == "postgresql":
        for name in ("previous_hash", "hash"):
            op.alter_column("audit_entries", name, server_default=None)
    guard(op, ("audit_entries",))
    _guard_head()


def _chain() -> tuple[int, bytes]:
    """Number and seal what is there, a page at a time; (last id, its hash)."""
    table = sa.table(
        "audit_entries",
        sa.column("id", sa.BigInteger()),
        sa.column("at", rewards_service.kit.db.UtcDateTime()),
        sa.column("actor", sa.String()),
        sa.column("action", sa.String()),
        sa.column("subject_kind", sa.String()),
        sa.column("subject_id", sa.BigInteger()),
        sa.column("reason", sa.String()),
        sa.column("detail", rewards_service.kit.db.Json()),
        sa.column("previous_hash", sa.LargeBinary()),
        sa.column("hash", sa.LargeBinary()),
    )
    change = (
        sa.update(table)
        .where(table.c.id == sa.bindparam("old_id"))
        .values(
            id=sa.bindparam("new_id"),
            previous_hash=sa.bindparam("new_previous"),
            hash=sa.bindparam("new_hash"),
        )
    )
    columns = [table.c[name] for name in Sealed._fields]
    last, previous, after = 0, GENESIS, 0
    while True:
        query = sa.select(*columns).where(table.c.id > after).order_by(table.c.id).limit(PAGE)
        rows = op.get_bind().execute(query).all()
        if not rows:
            return last, previous
        changes = []
        for row in rows:
            last += 1
            hashed = seal(previous, Sealed(*row)._replace(id=last))
            changes.append(
                {"old_id": row.id, "new_id": last, "new_previous": previous, "new_hash": hashed}
            )
            previous = hashed
        op.get_bind().execute(change, changes)
        after = rows[-1].id


def _guard_head() -> None:
    if op.get_bind().dialect.name == "postgresql":
        op.execute(REFUSE_RETREAT)
        op.execute(
            "CREATE TRIGGER only_forward BEFORE UPDATE OR DELETE ON audit_head "
            "FOR EACH ROW EXECUTE FUNCTION refuse_retreat()"
        )
        op.execute(
            "CREATE TRIGGER never_emptied BEFORE TRUNCATE ON audit_head "
            "FOR EACH STATEMENT EXECUTE FUNCTION refuse_retreat()"
        )
        return
    refusal = "BEGIN SELECT RAISE(ABORT, 'audit_head only moves forward: the audit log is append-only.'); END"
    op.execute(
        "CREATE TRIGGER only_forward_update BEFORE UPDATE ON audit_head "
        f"WHEN NEW.id <> OLD.id OR NEW.last_id <= OLD.last_id {refusal}"
    )
    op.execute(f"CREATE TRIGGER only_forward_delete BEFORE DELETE ON audit_head {refusal}")


def downgrade() -> None:
    if op.get_bind().dialect.name == "postgresql":
        op.execute("DROP TRIGGER only_forward ON audit_head")
        op.execute("DROP TRIGGER never_emptied ON audit_head")
        op.execute("DROP FUNCTION refuse_retreat()")
    unguard(op, ("audit_entries",))
    for name in INDEXED:
        op.drop_index(op.f(f"ix_audit_entries_{name}"), table_name="audit_entries")
    for name in ("hash", "previous_hash", "reason"):
        op.drop_column("audit_entries", name)
    op.drop_table("audit_head")
