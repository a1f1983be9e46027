"""Let `python -m regold`, `accelerate launch -m regold` and `torchrun -m regold` run the command line."""

from __future__ import annotations

from regold.cli import main

if __name__ == "__main__":
    main()
