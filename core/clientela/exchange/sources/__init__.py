"""Files as rows of texts: how a file is opened, read in bounded memory, and put right by steps."""
