"""The same admitted rules by other means, each written to be fast: improve them. All give the columns of `tables.RESULT`."""
