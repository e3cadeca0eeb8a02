"""Payment links: an address nobody can guess that leads to where one pays."""
