"""`python -m avloc`: the command line."""

from avloc.cli.app import main

main()
