"""The configuration: `settings` says what there is, `loading` resolves it, `sample` shows it."""
