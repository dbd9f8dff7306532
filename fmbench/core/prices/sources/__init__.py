"""Where prices come from, a file each; ``core.prices.book`` asks them in order."""
