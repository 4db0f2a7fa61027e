"""The RPCs, and the door for webhooks."""
