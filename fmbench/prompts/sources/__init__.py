"""Prompt sources, a file each: every one answers with ``Loaded`` rows of LongBench's shape."""
