"""Speech: what a run says, and why."""
