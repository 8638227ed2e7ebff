"""Custom fields: what integrators add to the entities of one deployment, without code and without a restart."""
