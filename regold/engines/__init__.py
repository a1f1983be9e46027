"""The door to models: what answers, scores and embeds."""
