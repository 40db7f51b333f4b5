"""A reader of printed derivations, written apart from the printers.

In: a page and the arrays of one evaluation. Out: what each printed line is worth. `tokens` cuts
a line into tokens, `grammar` makes a tree of them, `values` evaluates it, `page` finds the lines
of a page, `check` holds them against the arrays. Nothing here is imported from symprop.
"""
