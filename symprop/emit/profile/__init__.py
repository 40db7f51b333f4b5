"""Notations of books: what symbols are called, and how adjoints and examples are set down."""
