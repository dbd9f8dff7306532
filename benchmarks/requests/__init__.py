"""How many requests a load process makes against an endpoint that answers at once, beside a plain boto3 loop."""
