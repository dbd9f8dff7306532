"""Everything that runs inside Locust: users, steps, journals. The one home of Locust and gevent."""
