"""Companies and people as company data tells of them."""
