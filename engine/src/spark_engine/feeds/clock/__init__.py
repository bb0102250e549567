"""What time it is at the venue, how sure that is, and how late its trades come. Pure: time is an argument."""
