"""Where records live: SQLite on one machine, PostgreSQL for more."""
