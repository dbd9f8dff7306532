"""How truthful and how cheap the instrument is, against the endpoint's ledger and beside other clients."""
