"""What each person wears: which crops to look at, garments, categories, and the vote."""
