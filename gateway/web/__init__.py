"""The pages: chat, API. Static files without a build step; nothing is loaded from elsewhere."""
