"""Documents: collections, web sites, statistics."""
