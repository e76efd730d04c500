"""When to ask for a task: pure functions of what answers said so far."""
