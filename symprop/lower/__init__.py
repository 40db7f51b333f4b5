"""From equations in index notation to whole-tensor operations."""
