"""Where frames come from: cameras, recordings and a simulated entrance."""
