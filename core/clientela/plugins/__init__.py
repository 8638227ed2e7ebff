"""How plugins introduce themselves and are found."""
