"""HL7 version 2 as text: what is written strictly, what is read leniently. Knows no connection."""
