"""People: handoff to a human, customers, tasks, appointments."""
