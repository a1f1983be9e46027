"""Pure numerics and text rules: no files, no engine, nothing that remembers."""
