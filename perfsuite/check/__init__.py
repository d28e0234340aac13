"""Outputs, held against FP32 and against another stack's."""
