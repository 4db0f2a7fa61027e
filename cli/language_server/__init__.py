"""The language server of scripts: `./parley lsp`."""
