"""The ledger: double entry, append-only, balances derived."""
