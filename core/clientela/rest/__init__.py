"""REST: one dispatcher, keyed by plugin and entity, for everything that is declared."""
