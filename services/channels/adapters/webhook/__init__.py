"""Signed webhooks, in and out (Standard Webhooks)."""
