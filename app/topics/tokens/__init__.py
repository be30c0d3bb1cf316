"""Who comes without the site's cookie: personal tokens, tickets, and what a project knows people by."""
