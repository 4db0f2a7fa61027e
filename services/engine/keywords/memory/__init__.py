"""Remembering: of the bot, the person, the session, the channel."""
