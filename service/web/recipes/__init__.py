"""Programs that websites copy; the page `/docs/websites` shows them as they stand here."""
