"""The commands; the only place that prints results and turns errors into exit codes."""
