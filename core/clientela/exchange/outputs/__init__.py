"""Records as files: tables of texts, written in each format in bounded memory."""
