"""A bot's data: tables, sheets and lists, and the filters over them."""
