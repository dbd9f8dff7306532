"""Datasets in, buckets of prompts out: everything that happens to a prompt before a load process reads it."""
