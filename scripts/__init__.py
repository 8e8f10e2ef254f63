"""What a developer or a machine calls: run, test, bench, and the embedded servers beneath them."""
