"""The verbs of the command line, a module each: its docstring is the help, then its options, then what it does."""
