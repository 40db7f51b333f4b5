"""The NumPy front end: a function of arrays in, a System of named equations out."""
