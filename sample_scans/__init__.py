"""A small real-looking exam, and the maker of it: printed sheets, pupils' pens, a scanner."""
