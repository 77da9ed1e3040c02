"""The pure core: no I/O, no wall clock, no framework; everything here is a value or a function of values."""
