"""What headers and cells mean: columns, spellings, blank text, templates, addresses."""
