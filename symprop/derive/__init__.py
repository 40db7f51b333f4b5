"""From a System to its adjoint equations, every step recorded."""
