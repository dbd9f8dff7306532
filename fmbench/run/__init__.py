"""The composition root: prepare → load → finish, and what is done with stored runs."""
