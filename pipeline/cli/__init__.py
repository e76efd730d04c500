"""The commands: the only place that prints, asks, and turns errors into exit codes."""
