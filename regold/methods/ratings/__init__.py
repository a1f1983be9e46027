"""What is done about a rater's errors: transition matrix, curation, smoothing, regression, several raters, choice."""
