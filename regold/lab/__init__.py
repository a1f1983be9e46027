"""A closed world and a small real model: where methods are compared with the truth at hand."""
