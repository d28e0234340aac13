"""The tables. ``migrations`` makes them; whoever changes one adds a migration there."""

from __future__ import annotations

from sqlalchemy import Column, Float, ForeignKey, Index, Integer, LargeBinary, MetaData, String, Table, Text

METADATA = MetaData()

#: Of each session what is searched and shown; ``circumstances`` is JSON of ``records/history.Circumstances``.
SESSIONS = Table(
    "sessions",
    METADATA,
    Column("id", String(200), primary_key=True),
    Column("begun", String(40), nullable=False, index=True),
    Column("machine", String(300), nullable=False),
    Column("stack", String(300), nullable=False),
    Column("revision", String(64), nullable=False),
    Column("entries", Integer, nullable=False),
    Column("circumstances", Text, nullable=False),
)

#: One for each variant that was measured: seconds, bytes, dB.
ENTRIES = Table(
    "entries",
    METADATA,
    Column("session", ForeignKey("sessions.id", ondelete="CASCADE"), primary_key=True),
    Column("variant", String(500), primary_key=True),
    Column("verdict", String(40), nullable=False),
    Column("latency_s", Float, nullable=False),
    Column("peak_bytes", Float),
    Column("sqnr_db", Float),
    Column("compile_s", Float),
    # With all that a series needs, so that it is read from the index alone.
    Index("series", "variant", "session", "latency_s", "peak_bytes", "sqnr_db", "compile_s", "verdict"),
)

#: The whole session, compressed JSON, apart from what is searched. Empty of what others measured.
DOCUMENTS = Table(
    "documents",
    METADATA,
    Column("session", ForeignKey("sessions.id", ondelete="CASCADE"), primary_key=True),
    Column("content", LargeBinary, nullable=False),
)
