"""The PostgreSQL that Django is given: its own, asked less often and for less."""
