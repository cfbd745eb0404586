"""A second platform in small: what every table must say, in plain Python from the words of the definitions alone.

It is slow and simple, has no code in common with the transforms, and was written without a look at them.
"""
