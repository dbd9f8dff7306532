"""The configuration: what may be written in a YAML file, and how it is checked."""
