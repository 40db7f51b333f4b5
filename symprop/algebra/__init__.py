"""The calculus' expression language and the rows that define the scalar functions."""
