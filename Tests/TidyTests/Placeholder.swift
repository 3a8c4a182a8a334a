// The first file of TidyTests takes this one's place.
