"""Shows migrations to Dagster: it translates and decides nothing."""
