"""Python as a tree: trees from spellings, walks over them, and one layout."""
