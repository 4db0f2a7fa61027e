"""The only place of the session service that speaks SQL."""
