"""FMBench Load: measure Amazon Bedrock models under concurrent users, and say which to pick.

Importing this package imports nothing else: Locust has to patch the standard library before ``ssl`` is loaded.
"""

__version__ = "0.1.0"
