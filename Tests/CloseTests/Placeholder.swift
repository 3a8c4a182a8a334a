// The first file of CloseTests takes this one's place.
