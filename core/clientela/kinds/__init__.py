"""Field kinds: all that is known about one sort of value, in one place."""
