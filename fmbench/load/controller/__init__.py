"""The master's side of a load: it steps the users of all load processes through the cells."""
