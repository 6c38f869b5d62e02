"""One file per chip, from its data sheet. Buses, pins and the clock are passed in."""
