"""Many records at once: plain values instead of objects, the same rules, log, words and facts."""
