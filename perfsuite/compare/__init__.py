"""Two stacks against each other, side by side: which is faster, by how much, how surely, and why?"""
