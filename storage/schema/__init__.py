"""The database file: opening, migrations, transactions."""
