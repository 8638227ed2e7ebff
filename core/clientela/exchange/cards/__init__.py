"""Business cards in and out: which customer a card is, and what of it is taken."""
