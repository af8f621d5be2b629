"""What could be: what if, what would undo it, what would come next, and deadlines."""
