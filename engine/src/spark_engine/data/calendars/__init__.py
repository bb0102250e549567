"""Exchange calendars: sessions of the past decades as tables of this package."""
