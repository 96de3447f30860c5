"""Clips with pictures and sounds as training examples, each a function of seed, epoch and index."""
