"""Approvals, functions, reproductions, documents of gates; a log of decisions that is chained."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("gates") as gates:
        gates.add_column(sa.Column("document", sa.String(), nullable=False, server_default=""))
    with op.batch_alter_table("decisions") as decisions:
        for name in ("role", "previous_hash", "hash"):
            decisions.add_column(sa.Column(name, sa.String(), nullable=False, server_default=""))
        decisions.add_column(
            sa.Column("override", sa.Boolean(), nullable=False, server_default=sa.false())
        )
    # What was decided before the log was chained stands ahead of it, each row by itself.
    op.execute(
        "UPDATE decisions SET hash = 'unchained:' || id, previous_hash = 'unchained before:' || id"
    )
    with op.batch_alter_table("decisions") as decisions:
        decisions.create_unique_constraint("uq_decisions_previous_hash", ["previous_hash"])
    op.create_table(
        "approvals",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("model", sa.String(), nullable=False),
        sa.Column("version", sa.String(), nullable=False),
        sa.Column("gate", sa.String(), nullable=False),
        sa.Column("outcome", sa.String(), nullable=False),
        sa.Column("role", sa.String(), nullable=False),
        sa.Column("comment", sa.String(), nullable=False),
        sa.Column("decided_by", sa.String(), nullable=False),
        sa.Column("decided_at", sa.DateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_approvals_model_version", "approvals", ["model", "version"])
    op.create_table(
        "functions",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("digest", sa.String(), nullable=False),
        sa.Column("definition", sa.JSON(), nullable=False),
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("created_by", sa.String(), nullable=False),
        sa.Column("created_at", sa.DateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("name", "version"),
        sa.UniqueConstraint("name", "digest"),
    )
    op.create_table(
        "reproductions",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("model", sa.String(), nullable=False),
        sa.Column("version", sa.String(), nullable=False),
        sa.Column("verdict", sa.String(), nullable=False),
        sa.Column("report", sa.JSON(), nullable=False),
        sa.Column("job_id", sa.String(), nullable=True),
        sa.Column("reproduced_by", sa.String(), nullable=False),
        sa.Column("reproduced_at", sa.DateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_reproductions_model_version", "reproductions", ["model", "version"])


def downgrade() -> None:
    op.drop_index("ix_reproductions_model_version", "reproductions")
    op.drop_index("ix_approvals_model_version", "approvals")
    for name in ("reproductions", "functions", "approvals"):
        op.drop_table(name)
    with op.batch_alter_table("decisions") as decisions:
        decisions.drop_constraint("uq_decisions_previous_hash", type_="unique")
        for name in ("override", "hash", "previous_hash", "role"):
            decisions.drop_column(name)
    with op.batch_alter_table("gates") as gates:
        gates.drop_column("document")
