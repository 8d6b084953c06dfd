"""The notations in which models write edits, one parser each."""
