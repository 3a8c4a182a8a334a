"""Makes the demo fixtures: a market, books that trade in it, and the stories of the portfolios."""
