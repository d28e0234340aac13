"""Sessions, their entries and their documents."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    op.create_table(
        "sessions",
        sa.Column("id", sa.String(200), primary_key=True),
        sa.Column("begun", sa.String(40), nullable=False),
        sa.Column("machine", sa.String(300), nullable=False),
        sa.Column("stack", sa.String(300), nullable=False),
        sa.Column("revision", sa.String(64), nullable=False),
        sa.Column("entries", sa.Integer, nullable=False),
        sa.Column("circumstances", sa.Text, nullable=False),
    )
    op.create_index("ix_sessions_begun", "sessions", ["begun"])
    op.create_table(
        "entries",
        sa.Column("session", sa.String(200), sa.ForeignKey("sessions.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("variant", sa.String(500), primary_key=True),
        sa.Column("verdict", sa.String(40), nullable=False),
        sa.Column("latency_s", sa.Float, nullable=False),
        sa.Column("peak_bytes", sa.Float),
        sa.Column("sqnr_db", sa.Float),
        sa.Column("compile_s", sa.Float),
    )
    op.create_index(
        "series", "entries", ["variant", "session", "latency_s", "peak_bytes", "sqnr_db", "compile_s", "verdict"]
    )
    op.create_table(
        "documents",
        sa.Column("session", sa.String(200), sa.ForeignKey("sessions.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("content", sa.LargeBinary, nullable=False),
    )
