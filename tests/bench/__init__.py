"""`make bench`: what the project costs, beside what people would pick instead."""
