"""What a run does with each row: the decision, its reasons, its cost and its time."""
