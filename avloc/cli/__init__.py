"""The command line, one file a verb. The only package that imports typer and rich and prints."""
