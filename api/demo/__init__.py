"""The demo: an institution that can be loaded, and made-up students by the thousand."""
