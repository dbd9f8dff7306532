"""What tokens cost: by model, region, profile, service tier, latency mode, kind of token and length of the prompt."""
