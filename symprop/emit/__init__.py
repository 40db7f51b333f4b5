"""Printers and emitters: derivations as LaTeX, Markdown and text, programs as NumPy modules."""
