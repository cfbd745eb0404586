"""What a day was like."""
