"""What time it is at the venue, and how late a message came."""
