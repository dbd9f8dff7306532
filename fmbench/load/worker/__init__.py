"""A load process: its share of the users, and what they leave behind."""
