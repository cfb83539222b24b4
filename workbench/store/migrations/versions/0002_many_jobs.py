"""Jobs in batches, with attempts and holders; ticks of schedules; runs of pipelines."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("jobs") as jobs:
        jobs.add_column(sa.Column("batch", sa.String(), nullable=True))
        jobs.add_column(sa.Column("options", sa.JSON(), nullable=False, server_default="{}"))
        jobs.add_column(sa.Column("priority", sa.Integer(), nullable=False, server_default="0"))
        jobs.add_column(sa.Column("holder", sa.String(), nullable=True))
        jobs.add_column(sa.Column("attempt", sa.Integer(), nullable=False, server_default="1"))
        jobs.add_column(sa.Column("attempts", sa.JSON(), nullable=False, server_default="[]"))
        jobs.add_column(sa.Column("not_before", sa.DateTime(), nullable=True))
        jobs.add_column(sa.Column("kernel", sa.String(), nullable=True))
        jobs.add_column(sa.Column("failure", sa.String(), nullable=True))
        jobs.create_index(jobs.f("ix_jobs_batch"), ["batch"], unique=False)
    op.create_table(
        "holders",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("machine", sa.String(), nullable=False),
        sa.Column("lock", sa.String(), nullable=False),
        sa.Column("role", sa.String(), nullable=False),
        sa.Column("beat_at", sa.DateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_table(
        "ticks",
        sa.Column("schedule", sa.String(), nullable=False),
        sa.Column("at", sa.DateTime(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("holder", sa.String(), nullable=True),
        sa.Column("jobs", sa.JSON(), nullable=False),
        sa.Column("pipeline_run", sa.String(), nullable=True),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("claimed_at", sa.DateTime(), nullable=False),
        sa.Column("finished_at", sa.DateTime(), nullable=True),
        sa.PrimaryKeyConstraint("schedule", "at"),
    )
    op.create_table(
        "pipeline_runs",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("pipeline", sa.String(), nullable=False),
        sa.Column("digest", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("parameters", sa.JSON(), nullable=False),
        sa.Column("steps", sa.JSON(), nullable=False),
        sa.Column("holder", sa.String(), nullable=True),
        sa.Column("error", sa.String(), nullable=True),
        sa.Column("created_at", sa.DateTime(), nullable=False),
        sa.Column("finished_at", sa.DateTime(), nullable=True),
        sa.PrimaryKeyConstraint("id"),
    )
    with op.batch_alter_table("pipeline_runs") as runs:
        runs.create_index(runs.f("ix_pipeline_runs_pipeline"), ["pipeline"], unique=False)


def downgrade() -> None:
    op.drop_table("pipeline_runs")
    op.drop_table("ticks")
    op.drop_table("holders")
    added = ("batch", "options", "priority", "holder", "attempt", "attempts", "not_before")
    with op.batch_alter_table("jobs") as jobs:
        jobs.drop_index(jobs.f("ix_jobs_batch"))
        for name in (*added, "kernel", "failure"):
            jobs.drop_column(name)
