"""FMBench Load's users and steps under plain Locust: ``locust -f locustfiles/bedrock.py --fmbench-config cfg.yml``."""

from fmbench.load.locustfile import BedrockUser

__all__ = ["BedrockUser"]
