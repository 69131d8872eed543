"""What Alembic runs for each migration; the connection comes from `scoring.storage.migration`."""

from __future__ import annotations

from alembic import context

from scoring.storage.schema import METADATA

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=METADATA,
    render_as_batch=True,
    transactional_ddl=True,
)
context.run_migrations()
