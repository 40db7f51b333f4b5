"""The command line: `symprop derive | generate | check | train | build | list`.

In: words that a user typed. Out: files, text on standard output, an exit status. Everything is
done by the packages below; here stand only the reading of options and the wording of help.
"""
