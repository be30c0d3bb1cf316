"""What happens on one visit to one contender, step by step."""
