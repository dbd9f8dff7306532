"""The pure core: records, failures, plan, statistics, cost, verdict. No I/O, no clock, no gevent, no boto3."""
