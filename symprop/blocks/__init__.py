"""The shape of the program: equal calls of a helper are one block, derived once.

In: a System whose equations know their calls. Out: a tree of blocks, each a System of its own
that cannot see past its border, with the lines at which it uses others; and their derivations.
"""

from symprop.blocks.derive import BlockDerivation, derive_blocks
from symprop.blocks.outline import Block, Use, outline

__all__ = ["Block", "BlockDerivation", "Use", "derive_blocks", "outline"]
