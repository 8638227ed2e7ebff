"""Files: bytes beside the database, known by their SHA-256, and the records that hold them."""
