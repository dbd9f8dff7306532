"""How the instrument grows: one process with ever more streams."""
