// The first file of CommandTests takes this one's place.
