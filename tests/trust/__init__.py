"""The long runs: what may be relied upon, measured (`make trust`, docs/trust.md)."""
