"""What ``/likes`` answers: one page, a board of rivals, two pages compared; and the card of an alert."""
