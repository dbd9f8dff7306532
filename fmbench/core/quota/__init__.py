"""Quotas: what a request takes of one, what a run took, and what a service's throttles say of one that is not known."""
