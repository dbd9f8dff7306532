"""The places where finished files can be, a file each: ``s3.py`` opens what begins with ``s3://``, ``local.py`` a folder.

Each has ``open_store(address, region) -> Store``; a file more is a scheme more.
"""
