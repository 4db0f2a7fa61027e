"""Tools: scripts with PARAM and DESCRIPTION, as models and other programs see them."""
