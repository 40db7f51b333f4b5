"""NumPy: the table, its trees, and the module that holds them."""
