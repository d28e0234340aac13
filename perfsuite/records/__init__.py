"""The records that stages hand to one another: frozen, no torch, no words for people; units are in the names."""
