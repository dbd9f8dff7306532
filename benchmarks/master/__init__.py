"""What the master costs: by the request rate of a real run, and by the messages of hundreds of load processes."""
