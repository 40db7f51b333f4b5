"""Files: the template environment, loading emitted text, atomic writing of files that are ours.

In: text, bytes and paths. Out: rendered skeletons, live modules, files on disk. Nothing here
knows any mathematics.
"""
