"""Finding people in frames, and garments in person crops, with any detector of the contract."""
