"""Functions that the stacks call themselves while they are made, each a file that stands in the template."""
