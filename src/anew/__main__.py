"""`python -m anew` is the command line."""

from anew.cli import main

main()
