"""What scripts write to people outside the conversation: mail, text messages, and whatever channel comes to be."""
