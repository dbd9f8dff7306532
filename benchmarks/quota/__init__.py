"""Whether the search for a quota finds what a service hides."""
