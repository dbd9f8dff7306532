"""What may be wrong with a run: one file a subject, each a check, and the findings that it makes as types with their facts.

A new finding is a file here with ``CHECKS``; ``registry`` knows the folder.
"""
