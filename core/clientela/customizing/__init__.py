"""What a deployment says of itself, apart from its records: moved from one to another as one file."""
