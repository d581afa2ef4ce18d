"""How each kind of record system is spoken to."""
