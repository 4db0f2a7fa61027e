"""What starts scripts without a person: schedules, webhooks, events."""
