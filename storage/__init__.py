"""Schema, migrations and queries. Values in, values out; no SQL leaves this room."""
