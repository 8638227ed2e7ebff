"""Archives: records leave the database exactly as they are stored, and come back so."""
