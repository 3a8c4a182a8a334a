// The first file of ImportTests takes this one's place.
