"""What every API view of the house stands on. It knows no other app."""
