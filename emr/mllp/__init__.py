"""HL7 v2 messages on their way: one TCP connection, with TLS unless both ends are one machine."""
