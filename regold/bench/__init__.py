"""The benches: each takes its data by path, writes JSON, and can be repeated with one command."""
