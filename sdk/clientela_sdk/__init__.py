"""The one door for plugin authors."""
