"""The close: calendars, and the story of a quarter."""
