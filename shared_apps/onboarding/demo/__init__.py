"""An invented organization with a lifelike past, for trying the product out."""
