"""The commands that are written by hand; those of records are derived, one room up."""
