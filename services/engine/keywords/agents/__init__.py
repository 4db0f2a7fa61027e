"""Several bots, tools, workflows."""
