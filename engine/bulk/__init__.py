"""Facts as columns: very many of them at once, in bounded memory."""
