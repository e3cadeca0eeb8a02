"""What a browser sees: the widget, the pages, their styles and their words."""
