"""What runs inside a stack: depends on the standard library and the stack alone."""
