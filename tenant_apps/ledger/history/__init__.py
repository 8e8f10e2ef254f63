"""The past of the books: what was so on a day, as it was known at an instant."""
