"""`python -m symprop` is the command line: see `symprop.cli.main`."""

from symprop.cli.main import main

if __name__ == "__main__":
    main()
