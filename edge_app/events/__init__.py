"""What happens: people enter and leave, alerts fire, counts add up."""
