"""What this machine is and the state it is in: processor, instruction sets, machine class, doctor."""
