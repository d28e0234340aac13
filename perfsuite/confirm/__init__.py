"""Suspects, stepped side by side against the baseline's own stack: was it the stack, or the machine?"""
