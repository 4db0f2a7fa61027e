"""Files on any S3 store."""
