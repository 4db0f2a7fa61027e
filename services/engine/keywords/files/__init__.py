"""Files of the bot's drive, and documents."""
