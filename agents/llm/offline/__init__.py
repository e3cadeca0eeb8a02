"""The language model that needs neither a key nor a network: rules, templates and quotations."""
