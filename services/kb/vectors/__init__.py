"""The vector port and its adapters."""
