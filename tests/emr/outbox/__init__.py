"""The outbox against record systems on this machine."""
