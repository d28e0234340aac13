"""Which settings of this machine make a variant faster: candidates, each side by side with what is set now."""
