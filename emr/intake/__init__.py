"""What becomes of a resource here: one file per kind of row, each speaking as `kinds.Intake`."""
