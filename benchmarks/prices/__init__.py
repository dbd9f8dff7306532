"""Whether prices are those of a list that others transcribed."""
