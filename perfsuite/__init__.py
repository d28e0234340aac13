"""Did this stack make CPU inference slower, wrong, or stop using the silicon, and why?"""

__version__ = "0.1.0"
