"""Single-file HTML pages a person reads: what was found, what was done, and why."""
