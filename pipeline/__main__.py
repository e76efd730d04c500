"""`python -m pipeline` is the `reelsheet` command."""

from pipeline.cli.app import main

if __name__ == "__main__":
    main()
