"""The commands of the command line, a module for each thing that one may want; ``cli`` puts them together."""
