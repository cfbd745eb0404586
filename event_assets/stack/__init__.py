"""The local stack: starts, watches and ends the processes of a platform on one machine.

What the processes do belongs to their own packages; here they are commands, ports, log files and signals.
"""
