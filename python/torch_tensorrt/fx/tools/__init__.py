"""Tools for traced graphs: split, change the batch, gather statistics."""
