"""The shape of the program: equal calls of a helper are one block, derived once.

In: a System whose equations know their calls. Out: a tree of blocks, each a System of its own
that cannot see past its border, with the lines at which it uses others; and their derivations.
"""

from symprop.blocks.backward import Pull
from symprop.blocks.block import Block, Run, Use
from symprop.blocks.derive import BlockDerivation, Lemma, derive_blocks
from symprop.blocks.outline import outline

__all__ = ["Block", "BlockDerivation", "Lemma", "Pull", "Run", "Use", "derive_blocks", "outline"]
