"""python -m cli: the `parley` command."""

from cli.commands import main

if __name__ == "__main__":
    main(prog_name="parley")
