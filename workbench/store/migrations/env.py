"""Alembic's entry: runs on the connection it is handed, never from a command line of its own."""

from alembic import context

from workbench.store.tables import Base

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=Base.metadata,
    render_as_batch=True,
)
with context.begin_transaction():
    context.run_migrations()
