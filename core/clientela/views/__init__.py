"""Saved views: a question about one entity, kept under a name, for oneself, for roles or for everybody."""
