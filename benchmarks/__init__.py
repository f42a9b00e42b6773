"""How fast it is, measured so that the figures mean something: check, then time."""
