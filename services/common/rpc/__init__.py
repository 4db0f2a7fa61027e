"""Servers, clients and what happens round every call."""
