"""The ways out: one file for each vendor, behind the protocol of `base`."""
