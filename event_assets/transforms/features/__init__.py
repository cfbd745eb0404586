"""What models learn from: the features of persons."""
