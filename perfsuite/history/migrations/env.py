"""Alembic's entry: ``perfsuite.history.database`` hands it the connection."""

from alembic import context

from perfsuite.history.schema import METADATA

context.configure(connection=context.config.attributes["connection"], target_metadata=METADATA)
with context.begin_transaction():
    context.run_migrations()
